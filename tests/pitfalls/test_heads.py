"""What Keras' and KerasHub's layers with heads get wrong, in every layer of ours."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers, normalizers, norms, positions

RNG = np.random.default_rng(31)
X = RNG.normal(size=(2, 5, 6)).astype("float32")
QUERY = RNG.normal(size=(2, 3, 4)).astype("float32")
KEEP = np.array([[True, True, True, False, False], [True] * 5])
LAYERS = {
    "multi_head": lambda **options: layers.MultiHeadAttention(2, 4, **options),
    "grouped_query": lambda **options: layers.GroupedQueryAttention(4, 4, 2, **options),
    "multi_query": lambda **options: layers.GroupedQueryAttention(4, 4, 1, **options),
    "talking_heads": lambda **options: layers.TalkingHeadsAttention(2, 4, **options),
    "differential": lambda **options: layers.DifferentialAttention(2, 4, **options),
    "persistent_memory": lambda **options: layers.PersistentMemoryAttention(
        2, 4, 3, **options
    ),
    "multi_head_latent": lambda **options: layers.MultiHeadLatentAttention(
        2, 4, 5, **options
    ),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
without_own = pytest.mark.parametrize(
    "make",
    [make for name, make in LAYERS.items() if name != "persistent_memory"],
    ids=[name for name in LAYERS if name != "persistent_memory"],
)


def numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))


def asked(layer, *inputs, **options):
    """Output and weights."""
    result = layer(*inputs, return_attention_scores=True, **options)
    return tuple(numpy(each) for each in result)


@every_layer
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_k02_asking_for_scores_changes_nothing(make, dropout):
    layer = make(dropout=dropout)
    options = {"query_mask": KEEP, "value_mask": KEEP, "use_causal_mask": True}
    assert_array_equal(asked(layer, X, X, **options)[0], numpy(layer(X, X, **options)))


@every_layer
def test_k03_a_masked_query_reads_nothing(make):
    layer = make()
    output, weights = asked(layer, X, X, query_mask=KEEP)
    assert (weights[0, :, 3:] == 0).all() and (weights[1].sum(-1) != 0).all()
    assert np.abs(output - numpy(layer(X, X)))[0, 3:].max() > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@without_own
def test_k05_k06_left_padding_with_a_causal_mask_in_half_precision(make, dtype):
    left = KEEP[:, ::-1].copy()
    output, weights = asked(
        make(dtype=dtype), X, X, value_mask=left, use_causal_mask=True
    )
    assert np.isfinite(output).all()
    assert (weights[0, :, :2] == 0).all() and (weights[0, :, 2:, :2] == 0).all()


@pytest.mark.parametrize("name", ["multi_head", "grouped_query", "multi_query"])
def test_k07_logits_beyond_the_range_of_half_precision(name):
    large = np.full((1, 3, 8), 160.0, "float16")
    output, weights = asked(LAYERS[name](dtype="float16"), large, large)
    assert np.isfinite(output).all()
    assert_allclose(weights.sum(-1), 1, atol=1e-2)


@every_layer
def test_k09_the_last_query_sees_all_keys_before_it(make):
    layer = make()
    whole = asked(layer, X, X, use_causal_mask=True)
    last = asked(layer, X[:, -1:], X, use_causal_mask=True)
    assert_allclose(last[0], whole[0][:, -1:], rtol=1e-5, atol=1e-6)
    assert_allclose(last[1], whole[1][:, :, -1:], rtol=1e-5, atol=1e-6)


@every_layer
def test_k10_additive_float_masks_are_refused(make):
    with pytest.raises(ValueError, match="must be boolean"):
        make()(X, X, attention_mask=np.zeros((5, 5), "float32"))


@without_own
def test_k11_a_window_is_as_wide_as_it_says(make):
    _, weights = asked(make(sliding_window=2), X, X)
    near = np.abs(np.subtract.outer(range(5), range(5))) < 2
    assert_array_equal((weights != 0)[0, 0], near)


@every_layer
def test_k12_k21_masks_of_three_axes_are_by_example(make):
    mask = np.ones((2, 5, 5), bool)
    mask[0, :, 2:] = False
    _, weights = asked(make(), X, X, attention_mask=mask)
    assert (weights[0, :, :, 2:5] == 0).all()
    assert (weights[1, :, :, :5] != 0).all()


def test_k12_soft_caps_work_everywhere_and_are_tanh():
    layer = layers.GroupedQueryAttention(4, 4, 1, normalizer=normalizers.SoftCap(0.5))
    layer(X, X)
    layer.query_dense.kernel.assign(5 * numpy(layer.query_dense.kernel.value))
    trace = layer.trace(X, X)
    capped = 0.5 * np.tanh(trace.scores / 0.5)
    powers = np.exp(capped)
    assert_allclose(
        trace.weights, powers / powers.sum(-1, keepdims=True), rtol=1e-4, atol=1e-6
    )
    other = trace.scores / (1 + np.abs(trace.scores) / 0.5)  # the other formula
    assert np.abs(other - capped).max() > 0.05


@every_layer
def test_k13_symbolic_weights_have_the_shape_of_the_real_ones(make):
    layer = make()
    real = asked(layer, QUERY, X)
    symbols = (keras.KerasTensor((None, *each.shape[1:])) for each in (QUERY, X))
    symbolic = layer(*symbols, return_attention_scores=True)
    assert [s.shape[1:] for s in symbolic] == [r.shape[1:] for r in real]


def test_k14_grouped_queries_take_any_widths_and_copy_no_keys():
    key = RNG.normal(size=(2, 5, 3)).astype("float32")
    layer = layers.GroupedQueryAttention(4, 6, 2)
    assert numpy(layer(QUERY, X, key)).shape == (2, 3, 4)
    memory = layer.prepare(X, key)
    assert memory["key"].shape[1] == memory["value"].shape[1] == 2


@every_layer
def test_k15_every_option_survives(make):
    layer = make(dropout=0.25, seed=3, use_gate=True, scale=0.5, sliding_window=3)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_k15_k16_flash_is_off_or_refused():
    for kind in (layers.MultiHeadAttention, layers.GroupedQueryAttention):
        sizes = (4, 2) if kind is layers.MultiHeadAttention else (4, 4, 2)
        assert (
            kind(*sizes, flash_attention=False).get_config()["flash_attention"] is False
        )
        with pytest.raises(ValueError, match="flash_attention must be None or False"):
            kind(*sizes, flash_attention=True)


@every_layer
def test_k17_weights_are_those_before_dropout(make):
    layer = make(dropout=0.5, seed=1)
    plain = asked(layer, X, X)[1]
    assert_allclose(asked(layer, X, X, training=True)[1], plain, rtol=1e-5, atol=1e-6)


@every_layer
@pytest.mark.parametrize("junk", [np.nan, np.inf])
def test_k20_junk_under_the_mask_does_not_leak(make, junk):
    layer = make()
    clean = np.where(KEEP[..., None], X, np.float32(0))
    spoilt = np.where(KEEP[..., None], X, np.float32(junk))
    for options in ({"value_mask": KEEP}, {"value_mask": KEEP, "query_mask": KEEP}):
        found, expected = (asked(layer, clean, x, **options) for x in (spoilt, clean))
        for left, right in zip(found, expected, strict=True):
            assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@every_layer
def test_k22_a_mask_of_query_by_key_and_a_bias_are_taken(make):
    mask = np.tril(np.ones((5, 5), bool))
    bias = RNG.normal(size=(5, 5)).astype("float32")
    layer = make()
    found = asked(layer, X, X, attention_mask=mask, bias=bias)
    expected = asked(layer, X, X, use_causal_mask=True, bias=bias[None, None])
    for left, right in zip(found, expected, strict=True):
        assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["multi_head", "grouped_query", "multi_head_latent"])
def test_h1_gate_and_window_hold_in_a_cache_too(name):
    layer = LAYERS[name](use_gate=True, sliding_window=2)
    whole = numpy(layer(X, use_causal_mask=True))
    assert np.abs(whole - numpy(LAYERS[name]()(X, use_causal_mask=True))).max() > 1e-3
    cache, outputs = layer.initial_cache(2, 5), []
    for t in range(5):
        output, cache = layer(X[:, t : t + 1], state=cache)
        outputs.append(numpy(output))
    assert_allclose(np.concatenate(outputs, 1), whole, rtol=1e-4, atol=1e-5)


def test_h5_sinks_caps_norms_and_positions_meet_in_one_layer():
    """Each alone changes the answer, so none of them is dropped beside the others."""
    parts = {
        "normalizer": normalizers.SoftCap(1.0, "sinks"),
        "query_key_norm": norms.Unit(4.0),
        "position": positions.RoPE() + positions.T5Bias(),
        "use_gate": True,
        "sliding_window": 3,
        "head_order": "tile",
    }
    all_weights = {}

    def answer(**options):
        keras.utils.set_random_seed(5)
        layer = layers.GroupedQueryAttention(4, 4, 2, **options)
        layer(X)
        for weight in layer.weights:
            known = all_weights.setdefault(
                weight.path.split("/", 1)[1], RNG.normal(size=weight.shape)
            )
            weight.assign(known)
        return numpy(layer(X))

    whole = answer(**parts)
    for name in parts:
        rest = {each: part for each, part in parts.items() if each != name}
        assert np.abs(answer(**rest) - whole).max() > 1e-3, name


@pytest.mark.parametrize("dims", [(1, 4), (4, 1), (1, 1)], ids="{0[0]}-{0[1]}".format)
def test_heads_of_width_one_add_their_bias_to_every_place(dims):
    # Keras' EinsumDense on TensorFlow adds (H, 1) along time where T equals H.
    options = {"bias_initializer": "random_normal", "use_gate": True}
    layer = layers.MultiHeadAttention(3, dims[0], dims[1], **options)
    together = numpy(layer(X[:, :3], X[:, :3]))
    keep = np.array([[True, True, True, False, False]] * 2)
    apart = [layer(X[:, i : i + 1], X, value_mask=keep) for i in range(3)]
    assert_allclose(
        together, np.concatenate([numpy(each) for each in apart], 1), atol=1e-5
    )


def test_heads_of_width_one_are_quantized():
    layer = layers.MultiHeadAttention(3, 1, bias_initializer="random_normal")
    before = numpy(layer(X[:, :3]))
    layer.quantize("int8")
    assert_allclose(numpy(layer(X[:, :3])), before, atol=0.1)


def test_several_features_of_width_one_add_their_bias_to_every_place():
    layer = layers.MultiHeadAttention(
        2, 4, output_shape=(3, 1), bias_initializer="random_normal"
    )
    together = numpy(layer(X[:, :3], X))
    apart = [layer(X[:, i : i + 1], X) for i in range(3)]
    assert_allclose(
        together, np.concatenate([numpy(each) for each in apart], 1), atol=1e-5
    )


def test_a_bias_leaves_what_is_not_finite_to_the_queries_that_see_it():
    # Of one key and as many rows as heads: shapes that an addition could confuse.
    layer = layers.MultiHeadAttention(2, 4)
    value = np.array(X[:, :1])
    value[0] = np.nan
    seen = np.array([[True], [True], [True]])
    output = numpy(
        layer(X[:, :3], value, attention_mask=seen, bias=np.zeros((2, 2, 3, 1), "f"))
    )
    assert np.isnan(output[0]).all() and np.isfinite(output[1]).all()
