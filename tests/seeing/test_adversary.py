"""Weights far from the model's own: found where they do not matter, and only there."""

from functools import partial

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from regard.seeing import metrics
from regard.seeing.intervention import intervening
from tests.seeing.test_evidence import examples, model


@pytest.mark.parametrize("reads", [True, False])
def test_far_weights_are_found_where_they_do_not_matter(reads):
    x = np.array([[1, 4, 4, 4, 4, 4], [2, 3, 3, 3, 3, 3]] * 2, "int32")
    x[:2, 4:] = 0  # all the others say the other class
    made = metrics.Classifier(model(reads))
    found = metrics.adversarial_weights(made, x, "pooling", count=3, steps=60, rate=0.3)
    assert_allclose(found.weights.sum(-1), 1)
    assert (found.weights[:, :2, ..., 4:] == 0).all()
    assert (found.divergence <= np.log(2) + 1e-9).all()
    if reads:  # the token looked at holds the answer, and its weight is nearly 1
        assert 0.003 < found.largest().max() < 0.2
    else:
        assert found.distance.max() < 1e-6
        assert found.largest().min() > 0.6


def test_the_answers_are_those_of_the_weights_reported():
    x, _ = examples(3)
    made = metrics.Classifier(model(reads=True))
    found = metrics.adversarial_weights(made, x, "pooling", count=2, steps=1)
    before = made.predict(x)
    for each, distance in zip(found.weights, found.distance, strict=True):
        weights = ops.convert_to_tensor(each.astype("float32"))
        with intervening(made.model, "pooling", partial(instead, weights)):
            after = made.predict(x)
        assert_allclose(np.abs(after - before).sum(1) / 2, distance, atol=1e-6)


def instead(weights, made, mask):
    return weights


def test_two_are_the_least():
    with pytest.raises(ValueError, match="count must be"):
        metrics.adversarial_weights(
            metrics.Classifier(model(reads=True)), examples(1)[0], "pooling", count=1
        )
