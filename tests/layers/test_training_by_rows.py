"""Sequences too long for one block train, compiled, as short ones do."""

import keras
import numpy as np
import pytest

from regard import layers
from regard.core import plan, positions
from regard.core.limits import Limits

MADE = {
    "additive": lambda: layers.AdditiveAttention(8),
    "general": lambda: layers.GeneralAttention(),
    "multi_head": lambda: layers.MultiHeadAttention(2, 4),
}


def weights_after_a_step(name, batch, keep):
    keras.utils.set_random_seed(1)
    inputs = keras.Input(batch.shape[1:])
    visible = keras.Input(keep.shape[1:], dtype="bool")
    projected = keras.layers.Dense(batch.shape[-1])(inputs)
    read = MADE[name]()(projected, projected, value_mask=visible, use_causal_mask=True)
    model = keras.Model([inputs, visible], read)
    compiler = keras.backend.backend() != "torch"
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=compiler)
    model.train_on_batch([batch, keep], batch)
    return model.get_weights()


@pytest.mark.parametrize("name", MADE)
def test_a_step_by_rows_is_the_step_at_once(name, monkeypatch):
    batch = np.random.default_rng(0).normal(size=(2, 7, 6)).astype("float32")
    keep = np.arange(7) < np.array([[7], [4]])
    at_once = weights_after_a_step(name, batch, keep)

    tight = Limits(
        dense=1, block=8 * 7 * 2, fused=1 << 40
    )  # two additive rows at least
    monkeypatch.setattr(plan, "limits", lambda: tight)
    assert plan.plan(7, 7, plan.Traits(8)).path == "rows"
    by_rows = weights_after_a_step(name, batch, keep)

    for one, other in zip(at_once, by_rows, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("position", [None, positions.ALiBi()])
def test_rows_in_a_graph_equal_eager_ones(position, monkeypatch):
    """oneDNN's fused product and bias gave an empty tensor inside a walk over rows."""
    import tensorflow as tf

    tight = Limits(dense=1, block=8 * 64 * 2, fused=1 << 40)
    monkeypatch.setattr(plan, "limits", lambda: tight)
    options = {"normalizer": "sparsemax", "position": position}
    layer = layers.MultiHeadAttention(8, 4, **options)
    x = np.random.default_rng(0).normal(size=(1, 64, 32)).astype("float32")
    eager = layer(x, x, use_causal_mask=True)
    found = tf.function(lambda x: layer(x, x, use_causal_mask=True))(tf.constant(x))
    np.testing.assert_allclose(found, eager, rtol=1e-5, atol=1e-5)
