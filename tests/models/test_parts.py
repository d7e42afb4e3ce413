"""Encoder, loss and the parts chosen by name."""

import keras
import numpy as np
import pytest

from regard.models import (
    BidirectionalEncoder,
    SmoothedCrossEntropy,
    make_attention,
    make_cell,
)
from tests.conformance.compiled import at_once
from tests.models.small import array, log_softmax


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("depth", [1, 2])
def test_encoder_reads_padded_rows_as_short_ones(cell, depth):
    encoder = BidirectionalEncoder(4, cell, depth)
    inputs = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    mask = np.array([[1] * 6, [1, 1, 1, 0, 0, 0]], bool)
    encoder.build(inputs.shape)
    ask = at_once(encoder)
    annotations, summary = ask(inputs, mask=mask)
    assert annotations.shape == (2, 6, encoder.output_width)
    short, short_summary = ask(inputs[1:, :3], mask=mask[1:, :3])
    np.testing.assert_allclose(array(annotations)[1:, :3], array(short), atol=1e-6)
    np.testing.assert_allclose(array(summary)[1:], array(short_summary), atol=1e-6)
    if depth == 1:  # the last state forward, the first place backward
        np.testing.assert_allclose(
            array(summary)[1], [*array(short)[0, 2, :4], *array(short)[0, 0, 4:]],
            atol=1e-6,
        )  # fmt: skip


def test_encoder_survives_its_configuration():
    encoder = BidirectionalEncoder(4, "lstm", 2, dropout=0.1, seed=3)
    again = BidirectionalEncoder.from_config(encoder.get_config())
    assert again.get_config() == encoder.get_config()
    with pytest.raises(ValueError, match="cell must be one of"):
        BidirectionalEncoder(4, "rnn")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_smoothed_cross_entropy_of_real_places(smoothing):
    random = np.random.default_rng(0)
    logits = random.normal(size=(3, 4, 7)).astype("float32")
    ids = random.integers(1, 7, (3, 4)).astype("int32")
    ids[0, 2:] = 0
    ids[2] = 0
    scores = log_softmax(logits.astype("float64"))
    losses = [
        -(1 - smoothing) * scores[b, t, ids[b, t]] - smoothing * scores[b, t].mean()
        for b in range(3)
        for t in range(4)
        if ids[b, t]
    ]
    found = SmoothedCrossEntropy(smoothing)(ids, logits)
    np.testing.assert_allclose(float(found), np.mean(losses), rtol=1e-5)


def test_loss_of_nothing_is_nothing():
    loss = SmoothedCrossEntropy(0.1)(np.zeros((2, 3), "int32"), np.ones((2, 3, 5)))
    assert float(loss) == 0.0


def test_loss_survives_its_configuration():
    loss = SmoothedCrossEntropy(0.2)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    with pytest.raises(ValueError, match="smoothing"):
        SmoothedCrossEntropy(1.0)


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match=r"attention must be one of additive.*'bilin'"):
        make_attention("bilin", 4)
    with pytest.raises(ValueError, match=r"attention_options.*'colour'"):
        make_attention("additive", 4, colour="red")
    with pytest.raises(ValueError, match="cell must be one of"):
        make_cell("rnn", 4)
    assert isinstance(make_cell("gru", 4, 2), keras.layers.StackedRNNCells)
