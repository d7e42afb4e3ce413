"""Custom gradients against the Jacobians of the papers, and on hard rows."""

import keras
import numpy as np
import pytest

from regard.core import normalizers
from tests.conformance.gradients import gradients
from tests.reference.normalizers import NORMALIZERS

SCORES = np.random.default_rng(3).normal(size=(3, 7)).astype("float32")
MASK = np.array(
    [[1, 1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0]], bool
)


class Scores(keras.layers.Layer):
    """Owns nothing; gives the gradient helper a layer to hold."""


def gradient_of(name, scores, direction, mask):
    part = normalizers.get(name)
    tensor_mask = None if mask is None else keras.ops.convert_to_tensor(mask)

    def loss(scores):
        weights = part(scores, tensor_mask)
        # Products with zero would pass a NaN on, so the direction is finite.
        return keras.ops.sum(weights * keras.ops.convert_to_tensor(direction))

    _, found, _ = gradients(Scores(), loss, {"scores": scores})
    return found["scores"]


def jacobian(name, row):
    """d weights / d scores of one row, from the reference by central differences."""
    step, columns = 1e-6, []
    for j in range(len(row)):
        moved = np.eye(len(row))[j] * step
        difference = NORMALIZERS[name](row + moved) - NORMALIZERS[name](row - moved)
        columns.append(difference / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_gradient_is_the_jacobian_product(name, scale):
    scores = SCORES * np.float32(scale)
    direction = np.random.default_rng(4).normal(size=scores.shape).astype("float32")
    found = gradient_of(name, scores, direction, MASK)
    expected = np.zeros(scores.shape)
    for row, visible in enumerate(MASK):
        if visible.any():
            local = jacobian(name, scores[row, visible].astype("float64"))
            expected[row, visible] = direction[row, visible] @ local
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
def test_softmax_and_sparsemax_jacobians_are_those_of_the_papers(name):
    row = SCORES[0].astype("float64")
    p = NORMALIZERS[name](row)
    if name == "softmax":
        closed = np.diag(p) - np.outer(p, p)
    else:  # diag(s) - s s^T / sum(s), with s = support, or its root for entmax-1.5
        s = (p > 0).astype("float64") if name == "sparsemax" else np.sqrt(p)
        closed = np.diag(s) - np.outer(s, s) / s.sum()
    found = [
        gradient_of(name, SCORES[:1], np.eye(7, dtype="float32")[[j]], None)[0]
        for j in range(7)
    ]
    np.testing.assert_allclose(np.stack(found), closed, atol=2e-5)


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
@pytest.mark.parametrize("fill", [0.0, 1e3, -1e3, 3e38])
def test_gradient_is_finite_on_empty_tied_and_huge_rows(name, fill):
    scores = np.full((3, 7), fill, "float32")
    direction = np.arange(21, dtype="float32").reshape(3, 7)
    found = gradient_of(name, scores, direction, MASK)
    assert np.isfinite(found).all()
    assert (found[~MASK] == 0).all()


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
@pytest.mark.parametrize("junk", [np.nan, np.inf])
def test_gradient_is_finite_under_hidden_junk(name, junk):
    scores = np.where(MASK, SCORES, np.float32(junk))
    direction = np.ones((3, 7), "float32")
    direction[:, 1] = 3.0
    found = gradient_of(name, scores, direction, MASK)
    assert np.isfinite(found).all() and (found[~MASK] == 0).all()
