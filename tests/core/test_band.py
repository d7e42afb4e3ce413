"""Blocks of queries with the keys near them answer as the whole matrix does."""

from unittest import mock

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regard
from regard.core import attend as engine
from regard.core import band, normalizers, scores
from regard.core import plan as planning
from regard.core.scopes import Causal, Dilated, Grid, Neighbourhood, Prefix, Window
from regard.layers import LocationAttention, MultiHeadAttention
from tests.conformance.compiled import compiled
from tests.conformance.gradients import gradients
from tests.core.strategies import moderate, settings

JAX = keras.backend.backend() == "jax"  # where every new shape is compiled
few = settings(moderate, max_examples=4 if JAX else 12)
BATCH, HEADS, WIDTH, VALUE_WIDTH = 2, 2, 3, 4
LENGTHS = [(9, 9), (5, 11), (11, 5)]


def scopes():
    near = st.integers(0, 3)
    windows = st.one_of(
        st.builds(Window, near, near),
        st.builds(Dilated, st.integers(0, 1), st.just(1), st.just(2)),
    )
    more = st.sampled_from([Causal(), Causal(1), Prefix(6), ~Prefix(2), Window(9, 9)])
    return st.one_of(windows, st.builds(lambda a, b: a & b, windows, more))


@st.composite
def problems(draw):
    """Everything the engine takes."""
    queries, keys = draw(st.sampled_from(LENGTHS))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    size = {"b": BATCH, "h": HEADS, "t": queries, "s": keys}

    def some(*choices):
        axes = draw(st.sampled_from(choices))
        return [size.get(axis, 1) for axis in axes]

    masks = {}
    if draw(st.booleans()):
        masks["padding"] = rng.random((BATCH, 1, 1, keys)) > 0.3
    if draw(st.booleans()):
        masks["query"] = rng.random((BATCH, 1, queries, 1)) > 0.3
    if draw(st.booleans()):
        masks["user"] = rng.random(some("11ts", "b1ts", "bhts", "b11s")) > 0.3
    options = {"scope": draw(scopes()), "masks": masks, "bias": None, "keep": None}
    if draw(st.booleans()):
        options["bias"] = rng.normal(size=some("bhts", "1hts", "b11s", "11t1"))
    if draw(st.booleans()):
        options["keep"] = (rng.random((BATCH, HEADS, queries, keys)) > 0.4) * 2.0
    groups = draw(st.sampled_from([1, HEADS]))
    inputs = {
        "query": rng.normal(size=(BATCH, HEADS, queries, WIDTH)),
        "key": rng.normal(size=(BATCH, groups, keys, WIDTH)),
        "value": rng.normal(size=(BATCH, groups, keys, VALUE_WIDTH)),
    }
    inputs = {name: each.astype("float32") for name, each in inputs.items()}
    position = draw(st.sampled_from([None, regard.positions.ALiBi()]))
    recipe = engine.Recipe(
        *draw(
            st.sampled_from(
                [
                    (scores.standard_dot, normalizers.get("softmax")),
                    (scores.standard_dot, normalizers.get("sparsemax")),
                    (scores.dot, normalizers.get("off_by_one")),
                ]
            )
        ),
        position=position,
    )
    return inputs, recipe, options


def tensor(array):
    if array is None:
        return None
    return keras.ops.convert_to_tensor(array, "float32" if array.dtype != bool else "")


def run(inputs, recipe, options, want=()):
    lengths = inputs["query"].shape[2], inputs["key"].shape[2]
    masks = {
        name: keras.ops.convert_to_tensor(m) for name, m in options["masks"].items()
    }
    seen = engine.Visibility(masks, {"scope": options["scope"]}, Grid.of(*lengths))
    tensors = (inputs[name] for name in ("query", "key", "value"))
    extra = (tensor(options["bias"]), tensor(options["keep"]))
    return engine.attend(*tensors, recipe, seen, *extra, want)


def in_bands():
    """Blocks of four rows, for lengths however short."""
    return (
        mock.patch.object(planning, "BAND_GAIN", 0),
        mock.patch.object(band, "BAND_ROWS", (4, 4)),
    )


@few
@given(problems())
def test_bands_equal_the_whole(problem):
    compare(*problem)


def test_fused_bands_equal_the_whole():
    rng = np.random.default_rng(3)
    sizes = {"query": (7, WIDTH), "key": (9, WIDTH), "value": (9, VALUE_WIDTH)}
    inputs = {
        name: rng.normal(size=(BATCH, HEADS, *size)).astype("float32")
        for name, size in sizes.items()
    }
    masks = {"padding": (BATCH, 1, 1, 9), "user": (BATCH, HEADS, 7, 9)}
    options = {
        "scope": Window(3, 1) & Causal(2),
        "masks": {name: rng.random(size) > 0.3 for name, size in masks.items()},
        "bias": rng.normal(size=(BATCH, 1, 1, 9)),
        "keep": None,
    }
    recipe = engine.Recipe(scores.standard_dot, normalizers.get("softmax"))
    with mock.patch.object(band, "by_kernel", wraps=band.by_kernel) as kernel:
        compare(inputs, recipe, options)
    assert kernel.call_count == 3


def compare(inputs, recipe, options):
    """Context, weights and gradients of both paths."""
    lengths = inputs["query"].shape[2], inputs["key"].shape[2]
    upstream = np.random.default_rng(0).normal(size=(BATCH, HEADS, lengths[0], 4))
    direction = keras.ops.convert_to_tensor(upstream.astype("float32"))

    def loss(**tensors):
        return keras.ops.sum(run(tensors, recipe, options)["context"] * direction)

    def answers():
        tensors = {n: keras.ops.convert_to_tensor(x) for n, x in inputs.items()}
        found = run(tensors, recipe, options, ("weights", "mask"))
        bare = run(tensors, recipe, options)["context"]
        same = keras.ops.convert_to_numpy(found["context"] == bare)
        assert same.all()
        slopes = gradients(keras.layers.Identity(), loss, inputs)[1]
        return {n: keras.ops.convert_to_numpy(x) for n, x in found.items()} | slopes

    whole = answers()
    gain, rows = in_bands()
    with gain, rows, mock.patch.object(engine, "by_band", wraps=band.by_band) as path:
        bands = answers()
    assert path.call_count == 3
    for name, expected in whole.items():
        np.testing.assert_allclose(bands[name], expected, 1e-4, 1e-5, err_msg=name)


def test_what_nobody_may_see_does_not_leak():
    """NaN in a key: the queries that see it get NaN, all others stay as they were."""
    inputs = np.random.default_rng(1).normal(size=(1, 40, 6)).astype("float32")
    layer = MultiHeadAttention(2, 3, scope=Window(2))
    clean = keras.ops.convert_to_numpy(layer(inputs))
    broken = inputs.copy()
    broken[0, 20] = np.nan
    gain, rows = in_bands()
    with gain, rows:
        found = keras.ops.convert_to_numpy(layer(inputs, broken))
    assert np.isnan(found[0, 20:23]).all()
    rest = [i for i in range(40) if not 20 <= i < 23]
    np.testing.assert_allclose(found[0, rest], clean[0, rest], 1e-4, 1e-6)


def test_dropout_is_drawn_for_the_band_alone():
    inputs = np.ones((1, 400, 4), "float32")
    layer = MultiHeadAttention(1, 2, scope=Window(3), dropout=0.5, use_bias=False)
    layer(inputs)
    shapes, drawn = [], keras.random.dropout

    def watched(ones, *args, **kwargs):
        shapes.append(tuple(ones.shape))
        return drawn(ones, *args, **kwargs)

    with mock.patch.object(keras.random, "dropout", watched):
        found = layer(inputs, training=True)
    assert [int(np.prod(shape)) for shape in shapes] == [7 * 64 * 67]
    ratio = keras.ops.convert_to_numpy(found / layer(inputs))
    # Row i averages min(i + 1, 4) equal values, of which none to all are left, twice.
    steps = np.minimum(np.arange(400) + 1, 4)[:, None] * ratio[0] / 2
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert 1.8 < steps[3:].mean() < 2.2 and steps.max() == pytest.approx(4)


@pytest.mark.parametrize(
    "scope, path",
    [
        (Window(63), "band"),
        (Window(63, 63), "band"),
        (Window(63) & Prefix(9), "band"),
        (Window(63) | Prefix(9), "fused"),
        (Window(63) & Neighbourhood(9), "fused"),
        (Window(5000), "fused"),
        (Causal(), "fused"),
    ],
)
def test_the_plan_says_what_is_done(scope, path):
    layer = MultiHeadAttention(8, 16, scope=scope)
    plan = regard.plan(layer, (1, 8192, 128))
    assert plan.path == path
    if path == "band":
        assert (
            plan.rows >= 64
            and str(scope.band()[0] + scope.band()[1] + 1) in plan.reason
        )
        assert plan.bytes and "no scores are kept" in plan.reason
        layer = MultiHeadAttention(8, 16, scope=scope, normalizer="sparsemax")
        short, long = (regard.plan(layer, (1, n, 128)) for n in (8192, 65_536))
        assert short.path == long.path == path
        assert long.bytes == pytest.approx(8 * short.bytes, rel=0.05)


def test_places_of_a_caller_and_scores_by_column_are_no_band():
    whole = {"scope": Window(1)}
    recipe = engine.Recipe(scores.dot, normalizers.get("softmax"))
    given_places = Grid.of(4, 4, query_positions=np.arange(4))
    assert band.banded(recipe, engine.Visibility({}, whole, given_places)) is None
    aligned = engine.Visibility({}, whole, Grid.of(4, 4))
    assert band.banded(recipe, aligned) == (1, 0)
    by_column = engine.Recipe(scores.location, normalizers.get("softmax"))
    assert band.banded(by_column, aligned) is None
    layer = LocationAttention(9000, scope=Window(1))
    assert regard.plan(layer, (1, 8192, 4)).path == "rows"


# torch.compile takes half a minute: in half precision always, in single where slow.
SINGLE = [pytest.mark.slow] if keras.backend.backend() == "torch" else []


@pytest.mark.parametrize(
    "kind", [pytest.param("float32", marks=SINGLE), "mixed_bfloat16"]
)
def test_a_compiled_layer_in_bands_equals_the_whole(kind):
    inputs = np.random.default_rng(5).normal(size=(2, 11, 6)).astype("float32")
    mask = np.ones((2, 11), bool)
    mask[0, 8:] = False
    layer = MultiHeadAttention(2, 3, scope=Window(3), dtype=kind)
    tensors = {"query": keras.ops.convert_to_tensor(inputs)}
    masks = {"query_mask": mask, "value_mask": mask}
    whole = keras.ops.convert_to_numpy(layer(**tensors, **masks))
    gain, rows = in_bands()
    with gain, rows, mock.patch.object(engine, "by_band", wraps=band.by_band) as path:
        found = compiled(lambda query: layer(query, **masks))(**tensors)
    assert path.called
    accuracy = 1e-5 if kind == "float32" else 2e-2
    found = keras.ops.convert_to_numpy(keras.ops.cast(found, "float32"))
    np.testing.assert_allclose(found, whole.astype("float32"), accuracy, accuracy)
