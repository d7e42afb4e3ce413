"""What a layer starts from, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

import regard
from regard import layers
from regard.compat import keras_self_attention

RNG = np.random.default_rng(8)
X = RNG.normal(size=(2, 5, 6)).astype("float32")


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.AdditiveAttention(6),
        lambda: layers.MultiHeadAttention(2, 3),
        lambda: keras_self_attention.SeqSelfAttention(6),
    ],
)
def test_no_two_weights_of_one_shape_start_alike(make):
    layer = make()
    layer(X)
    kernels = [each for each in layer.get_weights() if np.ptp(each) > 0]
    for place, one in enumerate(kernels):
        for other in kernels[:place]:
            assert one.shape != other.shape or not np.allclose(one, other)


def test_a_zero_vector_has_a_cosine_of_zero_and_no_gradient():
    from tests.conformance.gradients import gradients

    layer = layers.CosineAttention()
    query = np.zeros((1, 1, 6), "float32")
    layer(query, X[:1])

    def loss(query):
        return ops.sum(layer(query, X[:1]) ** 2)

    _, found, _ = gradients(layer, loss, {"query": query})
    assert np.abs(found["query"]).max() < 1e-5


def test_a_scope_with_data_reads_the_positions_of_the_call():
    keep = np.array([[True] * 5, [True, True, False, False, False]])
    places = np.array([7, 3, 1, 8, 2])
    options = {"query_positions": places, "key_positions": places}
    layer = layers.DotAttention()
    scope = regard.Padding(keep) & regard.Window(1)
    together = layer(X, attention_mask=scope, **options)
    apart = layers.DotAttention(scope=regard.Window(1))(X, value_mask=keep, **options)
    np.testing.assert_allclose(
        ops.convert_to_numpy(together), ops.convert_to_numpy(apart), rtol=1e-5
    )


def test_large_positions_are_exact_on_every_path(monkeypatch):
    from regard.core import plan
    from regard.core.limits import Limits

    places = 2**30 + np.array([0, 1, 2, 3, 4])
    layer = layers.DotAttention(scope=regard.Window(1))
    options = {"query_positions": places, "key_positions": places}
    whole = ops.convert_to_numpy(layer(X, **options))
    for fused in (1, 1 << 40):
        tight = Limits(dense=1, block=20, fused=fused)
        monkeypatch.setattr(plan, "limits", lambda tight=tight: tight)
        found = ops.convert_to_numpy(layer(X, **options))
        np.testing.assert_allclose(found, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias": np.ones((5, 5), bool)}, "bias must be numbers"),
        ({"bias": np.ones((4, 5), "float32")}, "bias must broadcast"),
        ({"query_positions": np.zeros(5, "float32")}, "query_positions must be"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        layers.DotAttention()(X, **options)


def test_an_implicit_mask_survives_mixed_precision():
    embedding = keras.layers.Embedding(9, 6, mask_zero=True)
    layer = layers.DotAttention(dtype="mixed_float16")
    value = embedding(np.array([[3, 4, 0, 0]]))
    layer.build((None, None, 6), (None, None, 6))
    found = ops.convert_to_numpy(layer.prepare(value)["mask"])
    np.testing.assert_array_equal(found, [[True, True, False, False]])


def test_a_bias_of_half_precision_meets_a_scope():
    layer = layers.ScaledDotAttention(scope=regard.Causal(), dtype="mixed_float16")
    assert np.isfinite(ops.convert_to_numpy(layer(X, bias=np.zeros((5, 5))))).all()


def test_a_row_of_minus_infinity_is_empty_under_every_normalizer():
    bias = np.full((5, 5), -np.inf, "float32")
    bias[0] = 0
    for name in ("softmax", "sparsemax", "entmax15", "entmax"):
        layer = layers.DotAttention(normalizer=name)
        _, weights = layer(X, bias=bias, return_attention_scores=True)
        sums = ops.convert_to_numpy(ops.sum(weights, axis=-1))
        np.testing.assert_allclose(sums, [[1, 0, 0, 0, 0]] * 2, atol=1e-6)
