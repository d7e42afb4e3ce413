"""The engine's paths compute one function; wanting more changes nothing."""

import keras
import numpy as np
import pytest

from regard.core import attend as engine
from regard.core import normalizers, scores
from regard.core import plan as planning
from regard.core.limits import Limits
from regard.core.scopes import Causal, Grid, Prefix, Window
from tests.conformance.gradients import gradients

RNG = np.random.default_rng(6)
BATCH, HEADS, QUERIES, KEYS, WIDTH, VALUE_WIDTH = 2, 2, 7, 5, 3, 4
PLANES = BATCH * HEADS
QUERY = RNG.normal(size=(BATCH, HEADS, QUERIES, WIDTH)).astype("float32")
KEY = RNG.normal(size=(BATCH, HEADS, KEYS, WIDTH)).astype("float32")
VALUE = RNG.normal(size=(BATCH, HEADS, KEYS, VALUE_WIDTH)).astype("float32")
BIAS = RNG.normal(size=(BATCH, HEADS, QUERIES, KEYS)).astype("float32")
PAIRS = RNG.random((BATCH, 1, QUERIES, KEYS)) > 0.4
PADDING = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)[:, None, None, :]
FACTORS = (RNG.random((BATCH, HEADS, QUERIES, KEYS)) > 0.5) * np.float32(2)

SETTINGS = {
    "plain": {},
    "padding": {"masks": {"padding": PADDING}},
    "pairs": {"masks": {"padding": PADDING, "user": PAIRS}},
    "causal": {"scopes": {"causal": Causal()}},
    "scope": {"scopes": {"scope": Window(1) | Prefix(1)}, "masks": {"user": PAIRS}},
    "bias": {"bias": BIAS},
    "key_bias": {"bias": BIAS[:1, :1, :1]},
    "keep": {"keep": FACTORS.astype("float32")},
}
every_setting = pytest.mark.parametrize("setting", SETTINGS)


def recipe(name="softmax"):
    vector = keras.ops.convert_to_tensor(np.arange(1, WIDTH + 1, dtype="float32"))
    return engine.Recipe(
        scores.additive, normalizers.get(name), (vector,), pairwise_width=WIDTH
    )


def run(query, key, value, setting, want=(), name="softmax"):
    options = SETTINGS[setting]
    tensors = {
        kind: keras.ops.convert_to_tensor(options[kind])
        for kind in ("bias", "keep")
        if kind in options
    }
    masks = options.get("masks", {}).items()
    visibility = engine.Visibility(
        {cause: keras.ops.convert_to_tensor(mask) for cause, mask in masks},
        options.get("scopes", {}),
        Grid.of(QUERIES, KEYS),
    )
    return engine.attend(
        query, key, value, recipe(name), visibility, want=want, **tensors
    )


def arrays(setting, want=("weights", "scores", "mask"), name="softmax"):
    inputs = [keras.ops.convert_to_tensor(each) for each in (QUERY, KEY, VALUE)]
    result = run(*inputs, setting, want=want, name=name)
    return {key: keras.ops.convert_to_numpy(each) for key, each in result.items()}


@pytest.fixture
def tight(monkeypatch):
    """Limits so small that these sizes count as large: blocks of two rows."""

    def tighten():
        tight = Limits(dense=1, block=2 * KEYS * WIDTH * PLANES, fused=1)
        monkeypatch.setattr(planning, "limits", lambda: tight)
        assert engine.plan(QUERIES, KEYS, engine.Traits(WIDTH), PLANES).rows == 2

    return tighten


@every_setting
@pytest.mark.parametrize("name", ["softmax", "entmax15"])
def test_rows_equal_dense(setting, name, tight):
    dense = arrays(setting, name=name)
    tight()
    rows = arrays(setting, name=name)
    np.testing.assert_array_equal(rows.pop("mask"), dense.pop("mask"))
    for kind, array in dense.items():
        np.testing.assert_allclose(rows[kind], array, rtol=1e-5, atol=1e-6)


@every_setting
def test_gradients_of_rows_equal_those_of_dense(setting, tight):
    direction = keras.ops.convert_to_tensor(
        RNG.normal(size=(BATCH, HEADS, QUERIES, VALUE_WIDTH)).astype("float32")
    )

    def loss(query, key, value):
        context = run(query, key, value, setting)["context"]
        return keras.ops.sum(context * direction)

    inputs = {"query": QUERY, "key": KEY, "value": VALUE}
    _, dense, _ = gradients(keras.layers.Identity(), loss, inputs)
    tight()
    _, rows, _ = gradients(keras.layers.Identity(), loss, inputs)
    for name in inputs:
        assert np.abs(dense[name]).max() > 0
        np.testing.assert_allclose(rows[name], dense[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", ["dense", "rows"])
def test_what_is_wanted_changes_nothing(path, tight):
    if path == "rows":
        tight()
    bare = arrays("pairs", want=())
    assert set(bare) == {"context"}
    full = arrays("pairs")
    np.testing.assert_array_equal(full["context"], bare["context"])


def test_context_is_weights_times_values():
    found = arrays("pairs")
    np.testing.assert_allclose(found["context"], found["weights"] @ VALUE, atol=1e-6)
    kept = arrays("keep")
    np.testing.assert_allclose(
        kept["context"], (kept["weights"] * FACTORS) @ VALUE, atol=1e-5
    )
    np.testing.assert_allclose(kept["weights"].sum(-1), 1.0, atol=1e-6)


def test_scores_are_wanted_before_the_mask():
    plain, masked = arrays("plain"), arrays("pairs")
    np.testing.assert_allclose(masked["scores"], plain["scores"], atol=1e-6)


@pytest.mark.parametrize(
    "lengths, path",
    [
        ((3, 5), "dense"),
        ((None, 5), "rows"),
        ((5, None), "rows"),
        ((4096, 4096), "rows"),
        ((1, 10**7), "dense"),
    ],
)
def test_the_plan_follows_from_the_sizes(lengths, path):
    if None in lengths and keras.backend.backend() == "torch":
        path = "dense"  # a loop would be exported at the length that was traced
    plan = engine.plan(*lengths)
    assert plan.path == path
    assert str(plan).startswith(f"{path}: ") and "forward call" in str(plan)


def test_an_additive_call_never_holds_all_pairs():
    plan = engine.plan(2048, 2048, engine.Traits(width=128))
    assert plan.path == "rows" and plan.bytes < 150e6
