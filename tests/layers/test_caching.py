"""Caches over positions, scopes and heads; loops that compiled code runs; overflow."""

import itertools
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import Causal, Prefix, Window, layers, positions
from regard.core.scopes import Dilated, Everywhere, Strided
from tests.conformance.checks.paths import in_blocks
from tests.conformance.compiled import at_once, compiled
from tests.conformance.subject import numpy, rng_of

BATCH, LENGTH, WIDTH = 2, 7, 8
COMPILING = keras.backend.backend() != "torch"  # every shape anew
POSITIONS = {
    "none": lambda: None,
    "rope": positions.RoPE,
    "rope_interleaved": lambda: positions.RoPE(pairing="interleaved", width=2),
    "alibi": positions.ALiBi,
    "t5": lambda: positions.T5Bias(buckets=4, max_distance=6, bidirectional=False),
}
SCOPES = {
    "causal": None,
    "window": Window(2),
    "prefix": Causal() | Prefix(3),
    "dilated": Dilated(2, step=2),
    "strided": Strided(3),
    "sinks": Window(1) | Everywhere([0]),
    "not": ~Window(1, 1),
}
HEADS = {
    "one": lambda **options: layers.ScaledDotAttention(**options),
    "many": lambda **options: layers.MultiHeadAttention(2, 4, **options),
    "gated": lambda **options: layers.MultiHeadAttention(
        2, 4, value_dim=3, use_gate=True, sliding_window=4, **options
    ),
    "entmax": lambda **options: layers.MultiHeadAttention(
        2, 4, normalizer="entmax15", **options
    ),
    "sigmoid": lambda **options: layers.AdditiveAttention(
        6, normalizer="sigmoid", **options
    ),
}


def sequence(*words):
    rng = rng_of("caching", *words)
    return rng.normal(size=(BATCH, LENGTH, WIDTH)).astype("float32")


def combinations():
    """All of them; where that takes long, in turns."""
    everything = enumerate(itertools.product(HEADS, POSITIONS, SCOPES))
    for number, (heads, position, scope) in everything:
        marks = [pytest.mark.slow] if COMPILING and number % 9 else []
        name = f"{heads}-{position}-{scope}"
        yield pytest.param(heads, position, scope, id=name, marks=marks)


def in_pieces(ask, x, cuts, cache):
    """The answers to pieces of x, each with the cache of those before."""
    outputs = []
    for piece in np.split(x, cuts, axis=1):
        output, cache = ask(piece, state=cache)
        outputs.append(numpy(output))
    return np.concatenate(outputs, axis=1)


@pytest.mark.parametrize(("heads", "position", "scope"), list(combinations()))
def test_step_prefill_and_full_agree(heads, position, scope):
    layer = HEADS[heads](position=POSITIONS[position](), scope=SCOPES[scope])
    x = sequence(heads, position, scope)
    causal = Causal() | Prefix(3) if scope == "prefix" else Causal()
    layer.build(x.shape)
    expected = numpy(at_once(partial(layer, attention_mask=causal))(x))
    start = 3 if scope == "prefix" else 1
    ask = at_once(layer)
    for cuts in ([], [start + 1], list(range(start, LENGTH))):
        found = in_pieces(ask, x, cuts, layer.initial_cache(BATCH, LENGTH))
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def rings():
    """Every position with all heads; where that takes long, with some."""
    for number, (heads, position) in enumerate(itertools.product(HEADS, POSITIONS)):
        marks = [pytest.mark.slow] if COMPILING and number % 3 else []
        yield pytest.param(heads, position, id=f"{heads}-{position}", marks=marks)


@pytest.mark.parametrize(("heads", "position"), list(rings()))
def test_a_ring_is_full_attention_with_its_window(heads, position):
    layer = HEADS[heads](position=POSITIONS[position](), scope=Window(2))
    x = sequence(heads, position, "ring")
    layer.build(x.shape)
    ask = at_once(layer)
    expected = numpy(ask(x))
    for cuts in ([], [5], [1, 5], list(range(1, LENGTH))):
        cache = layer.initial_cache(BATCH, 3, ring=True)
        found = in_pieces(ask, x, cuts, cache)
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def looped(layer, capacity, ring=False):
    """A compiled function that decodes x token by token: outputs and the cache."""

    def run(x):
        cache = layer.initial_cache(BATCH, capacity, ring)

        def body(at, outputs, *leaves):
            cache_now = keras.tree.pack_sequence_as(cache, list(leaves))
            token = ops.take(x, ops.reshape(at, (1,)), axis=1)
            output, after = layer(token, state=cache_now)
            here = ops.arange(LENGTH, dtype="int32") == at
            outputs = ops.where(here[None, :, None], output, outputs)
            return (at + 1, outputs, *keras.tree.flatten(after))

        start = (
            ops.zeros((), dtype="int32"),
            ops.zeros_like(x),
            *keras.tree.flatten(cache),
        )
        found = ops.while_loop(lambda at, *rest: at < LENGTH, body, start)
        return found[1], keras.tree.pack_sequence_as(cache, list(found[2:]))

    return run if keras.backend.backend() == "torch" else compiled(run)


@pytest.mark.parametrize(("capacity", "ring"), [(LENGTH, False), (3, True)])
def test_a_compiled_loop_gives_the_full_call(capacity, ring):
    scope = Window(2) if ring else None
    layer = layers.MultiHeadAttention(
        2, 4, output_shape=WIDTH, position=positions.RoPE(), scope=scope
    )
    x = sequence("loop")
    expected = numpy(layer(x, use_causal_mask=True))
    found, cache = looped(layer, capacity, ring)(ops.convert_to_tensor(x))
    assert_allclose(numpy(found), expected, rtol=1e-4, atol=1e-5)
    assert_array_equal(numpy(cache["position"]), [LENGTH] * BATCH)


def test_a_full_cache_raises_or_says_so_afterwards():
    layer = layers.MultiHeadAttention(2, 4)
    x = ops.convert_to_tensor(sequence("overflow"))
    expected = numpy(layer(x, use_causal_mask=True))
    run = looped(layer, LENGTH - 2)
    if keras.backend.backend() == "torch":  # whose loops run as they are written
        with pytest.raises(ValueError, match="state must have room"):
            run(x)
        return
    found, cache = run(x)
    assert numpy(cache["overflow"]).all()
    assert_allclose(numpy(found)[:, :-2], expected[:, :-2], rtol=1e-4, atol=1e-5)


def test_rows_of_a_batch_may_be_of_different_lengths():
    layer = layers.MultiHeadAttention(2, 4, position=positions.ALiBi(), use_bias=False)
    x = sequence("rows")
    layer(x)
    keep = np.arange(LENGTH) < np.array([[LENGTH], [2]])
    cache = layer.initial_cache(BATCH, LENGTH)
    output, cache = layer(x, state=cache, value_mask=keep, query_mask=keep)
    assert not numpy(output)[1, 2:].any()
    assert_array_equal(numpy(cache["position"]), [LENGTH, 2])
    # only the second row has room: one row's end says nothing about another's
    alone = keras.tree.map_structure(lambda leaf: leaf[1:], cache)
    found, _ = layer(x[1:, 2:4], state=alone)
    expected = numpy(layer(x[1:, :4], use_causal_mask=True))[:, 2:]
    assert_allclose(numpy(found), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ring", [False, True])
def test_long_prompts_go_in_blocks_of_rows(ring):
    """The engine's path for long inputs, forced on a short one."""
    layer = layers.MultiHeadAttention(2, 4, position=positions.ALiBi(), scope=Window(2))
    x = sequence("blocks")
    keep = np.arange(LENGTH) < np.array([[LENGTH], [5]])
    layer(x)
    empty = layer.initial_cache(BATCH, LENGTH, ring)
    expected, cache = layer(x, state=empty, value_mask=keep, query_mask=keep)
    with in_blocks():
        found, again = layer(x, state=empty, value_mask=keep, query_mask=keep)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-5, atol=1e-6)
    for name, leaf in cache.items():
        assert_allclose(numpy(again[name]), numpy(leaf), rtol=1e-6, atol=1e-7)


def test_implicit_masks_count_as_padding():
    layer = layers.MultiHeadAttention(2, 4)
    words = keras.layers.Embedding(9, WIDTH, mask_zero=True)
    ids = np.array([[3, 4, 5, 6], [7, 8, 0, 0]])
    x = words(ids)
    layer(x)
    _, cache = layer(x, state=layer.initial_cache(BATCH, 6))
    assert_array_equal(numpy(cache["position"]), [4, 2])


def test_what_is_not_finite_stays_where_it_is_seen():
    layer = layers.MultiHeadAttention(2, 4, scope=Window(1))
    x = sequence("finite")
    clean = numpy(layer(x))
    spoilt = x.copy()
    spoilt[:, 2] = np.nan
    for ring in (False, True):
        cache = layer.initial_cache(BATCH, LENGTH, ring)
        found = in_pieces(layer, spoilt, [4, 5], cache)
        assert np.isnan(found[:, 2:4]).all()
        assert_allclose(found[:, :2], clean[:, :2], rtol=1e-4, atol=1e-5)
        assert_allclose(found[:, 4:], clean[:, 4:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_caches_hold_half_precision(dtype):
    layer = layers.MultiHeadAttention(2, 4, dtype=dtype)
    x = sequence("half")
    expected = numpy(layer(x, use_causal_mask=True))
    cache = layer.initial_cache(BATCH, LENGTH)
    kinds = {n: keras.backend.standardize_dtype(t.dtype) for n, t in cache.items()}
    for at in range(LENGTH):
        output, cache = layer(x[:, at : at + 1], state=cache)
        assert_allclose(numpy(output)[:, 0], expected[:, at], rtol=2e-2, atol=2e-2)
    after = {n: keras.backend.standardize_dtype(t.dtype) for n, t in cache.items()}
    assert after == kinds and kinds["key"] == dtype.removeprefix("mixed_")
    assert kinds["position"] == "int32"


def test_a_functional_model_takes_and_gives_a_cache(tmp_path):
    layer = layers.MultiHeadAttention(2, 4, output_shape=WIDTH)
    layer.build((None, None, WIDTH))
    empty = layer.initial_cache(BATCH, LENGTH)
    symbols = {
        name: keras.Input(leaf.shape[1:], dtype=leaf.dtype, name=name)
        for name, leaf in empty.items()
    }
    x = keras.Input((None, WIDTH), name="x")
    model = keras.Model([x, symbols], layer(x, state=symbols))
    tokens = ops.convert_to_tensor(sequence("functional"))
    expected = numpy(layer(tokens, use_causal_mask=True))
    found, cache = model([tokens[:, :4], empty])
    assert_allclose(numpy(found), expected[:, :4], rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    found, _ = loaded([tokens[:, 4:], cache])
    assert_allclose(numpy(found), expected[:, 4:], rtol=1e-4, atol=1e-5)


def test_symbolic_shapes_are_the_real_ones():
    layer = layers.MultiHeadAttention(2, 4, output_shape=5)
    layer.build((None, None, WIDTH))
    for ring, length, columns in ((False, 3, 6), (True, 1, 6), (True, 3, 9)):
        cache = layer.initial_cache(BATCH, 6, ring)
        symbols = keras.tree.map_structure(
            lambda leaf: keras.KerasTensor(leaf.shape, dtype=leaf.dtype), cache
        )
        x = keras.KerasTensor((BATCH, length, WIDTH))
        found = layer(x, state=symbols, return_attention_scores=True)
        real = layer(
            np.ones(x.shape, "float32"), state=cache, return_attention_scores=True
        )
        assert found[1].shape == (BATCH, 2, length, columns)
        pairs = zip(
            keras.tree.flatten(list(found)), keras.tree.flatten(list(real)), strict=True
        )
        for symbol, tensor in pairs:
            assert symbol.shape == tuple(tensor.shape)


def test_masks_and_biases_have_a_column_for_every_slot():
    layer = layers.MultiHeadAttention(2, 4)
    x = sequence("columns")
    pairs = rng_of("pairs").random((BATCH, LENGTH, LENGTH)) > 0.4
    bias = rng_of("bias").normal(size=(1, 2, LENGTH, LENGTH)).astype("float32")
    options = {"attention_mask": pairs, "bias": bias}
    expected = numpy(layer(x, use_causal_mask=True, **options))
    found, _ = layer(x, state=layer.initial_cache(BATCH, LENGTH), **options)
    assert_allclose(numpy(found), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="attention_mask must have shape"):
        layer(x, state=layer.initial_cache(BATCH, LENGTH + 1), attention_mask=pairs)


@pytest.mark.parametrize("capacity", [0, -1, 2.5, True, None])
def test_a_capacity_is_a_positive_number(capacity):
    layer = layers.MultiHeadAttention(2, 4)
    layer.build((None, None, WIDTH))
    with pytest.raises(ValueError, match="capacity must be a positive integer"):
        layer.initial_cache(BATCH, capacity)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"normalizer": "slot"}, "normalizer must work row by row"),
        ({"scope": Causal(offset=0)}, "scope must compare positions"),
        ({"scope": ~(Window(3) & Causal(offset=0))}, "scope must compare positions"),
    ],
)
def test_what_cannot_be_cached_is_refused(options, named):
    layer = layers.MultiHeadAttention(2, 4, **options)
    layer.build((None, None, WIDTH))
    with pytest.raises(ValueError, match=named):
        layer.initial_cache(BATCH, LENGTH)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda cache: {}, "state must be a cache"),
        (lambda cache: 3, "state must be a cache"),
        (lambda cache: [cache], "state must be a cache"),
        (lambda cache: {"position": cache["position"]}, "state must be a cache"),
        (lambda cache: {"key": cache["key"]}, "goes to step"),
        (lambda cache: {k: v[:1] for k, v in cache.items()}, "as many sequences"),
    ],
)
def test_a_state_that_is_no_cache_is_told(spoil, named):
    layer = layers.MultiHeadAttention(2, 4)
    x = rng_of("x").normal(size=(BATCH, 1, WIDTH)).astype("float32")
    layer.build(x.shape)
    with pytest.raises(ValueError, match=named):
        layer(x, state=spoil(layer.initial_cache(BATCH, LENGTH)))


def test_outputs_of_several_axes_come_with_their_cache():
    layer = layers.MultiHeadAttention(2, 4, output_shape=(3, 2))
    x = rng_of("x").normal(size=(BATCH, 1, WIDTH)).astype("float32")
    layer.build(x.shape)
    cache = layer.initial_cache(BATCH, LENGTH)
    options = {"state": cache, "return_attention_scores": True}
    real = keras.tree.flatten(layer(x, **options))
    told = keras.tree.flatten(layer(keras.KerasTensor(x.shape), **options))
    assert [each.shape for each in told] == [tuple(each.shape) for each in real]


def test_a_pointer_has_no_cache():
    layer = layers.PointerAttention(4)
    layer.build((None, None, WIDTH))
    x = rng_of("x").normal(size=(BATCH, 1, WIDTH)).astype("float32")
    with pytest.raises(ValueError, match="PointerAttention cannot use a cache"):
        layer.initial_cache(BATCH, LENGTH)
    with pytest.raises(ValueError, match="state must be None"):
        layer(x, state={"position": np.zeros(BATCH), "key": x})
