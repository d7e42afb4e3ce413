"""The backend's own softmax over products is the dense path, whatever is hidden."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regard.core import attend as engine
from regard.core import normalizers, scores, stairs
from regard.core import plan as planning
from regard.core.limits import Limits
from regard.core.scopes import Causal, Grid, Prefix, Window
from tests.conformance.gradients import gradients
from tests.core.strategies import moderate

BACKEND = keras.backend.backend()
BATCH, HEADS, WIDTH, VALUE_WIDTH = 2, 4, 3, 5
SCOPES = [None, Causal(), Window(2, 1), Window(1) | Prefix(1), Causal(-3)]
RECIPES = {
    "dot": (scores.dot, ()),
    "scaled": (partial(scores.scaled_dot, scale=0.7), ()),
    "standard": (scores.standard_dot, ()),
    "cosine": (scores.cosine, (np.float32(3.0),)),
}
ALWAYS = Limits(dense=1 << 25, block=1 << 22, fused=1)
NEVER = Limits(dense=1 << 25, block=1 << 22, fused=1 << 60)


def case(lengths, groups, scope, pairs, padded, poisoned, score):
    """Inputs, and a function of them that reads through the engine."""
    queries, keys = lengths
    rng = np.random.default_rng(16)
    shapes = {
        "query": (BATCH, HEADS, queries, WIDTH),
        "key": (BATCH, groups, keys, WIDTH),
        "value": (BATCH, groups, keys, VALUE_WIDTH),
    }
    inputs = {n: rng.normal(size=s).astype("float32") for n, s in shapes.items()}
    masks = {}
    if pairs:  # with an empty row
        masks["user"] = rng.random((BATCH, HEADS, queries, keys)) > 0.3
        masks["user"][0, 1, 0] = False
    if padded:  # one sequence is nothing but padding
        real = np.array([keys - keys // 3, 0])[:, None]
        masks["padding"] = (np.arange(keys) < real)[:, None, None, :]
    bias = None
    if poisoned:
        bias = np.zeros((BATCH, 1, 1, keys), "float32")
        bias[0, ..., -1] = np.nan
    function, parameters = RECIPES[score]
    recipe = engine.Recipe(
        function,
        normalizers.get("softmax"),
        tuple(keras.ops.convert_to_tensor(each) for each in parameters),
    )

    def read(query, key, value, want=()):
        visibility = engine.Visibility(
            {name: keras.ops.convert_to_tensor(mask) for name, mask in masks.items()},
            {} if scope is None else {"scope": scope},
            Grid.of(queries, keys),
        )
        given = None if bias is None else keras.ops.convert_to_tensor(bias)
        return engine.attend(
            query, key, value, recipe, visibility, bias=given, want=want
        )

    return SimpleNamespace(inputs=inputs, read=read)


cases = st.builds(
    case,
    # Few shapes, for each is compiled.
    lengths=st.sampled_from([(7, 5), (5, 7), (6, 6)]),
    groups=st.sampled_from([1, 2, 4]),
    scope=st.sampled_from(SCOPES),
    pairs=st.booleans(),
    padded=st.booleans(),
    poisoned=st.booleans(),
    score=st.sampled_from(list(RECIPES)),
)
# Every other shape and scope is compiled anew on JAX and TensorFlow.
few = settings(moderate, max_examples=40 if BACKEND == "torch" else 8)


def answers(found, limits):
    """The context of a case and its slopes, with the paths that ``limits`` choose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "limits", lambda: limits)
        tensors = {n: keras.ops.convert_to_tensor(x) for n, x in found.inputs.items()}
        context = keras.ops.convert_to_numpy(found.read(**tensors)["context"])
        way = np.cos(np.arange(context.size)).reshape(context.shape)
        way = np.where(np.isfinite(context), way, 0.0).astype("float32")
        way = keras.ops.convert_to_tensor(way)

        def loss(query, key, value):
            read = found.read(query, key, value)["context"]
            return keras.ops.sum(keras.ops.where(way == 0, 0.0, read) * way)

        _, slopes, _ = gradients(keras.layers.Identity(), loss, found.inputs)
    return context, slopes


@few
@given(cases)
def test_fused_equals_dense(found):
    context, slopes = answers(found, NEVER)
    fused, fused_slopes = answers(found, ALWAYS)
    np.testing.assert_allclose(fused, context, rtol=1e-5, atol=1e-6)
    clean = np.isfinite(context).all(-1)  # a row that sees NaN spoils its keys
    names = list(slopes) if clean.all() else ["query"]
    for name in names:
        ours, expected = fused_slopes[name], slopes[name]
        if name == "query":
            ours, expected = ours[clean], expected[clean]
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("lengths", [(7, 7), (6, 9)])
def test_a_triangle_in_steps_is_whole(lengths, monkeypatch):
    """Later queries get more keys, so that hidden pairs are not computed."""
    monkeypatch.setattr(stairs, "SHORTEST", 2)
    found = case(lengths, 2, Causal(), False, True, False, "dot")
    seen = engine.Visibility({}, {"causal": Causal()}, Grid.of(*lengths))
    assert len(stairs.steps_of(seen, *lengths, 3)) == 3
    context, slopes = answers(found, NEVER)
    stepped, stepped_slopes = answers(found, replace(ALWAYS, steps=3))
    np.testing.assert_allclose(stepped, context, rtol=1e-5, atol=1e-6)
    for name, slope in slopes.items():
        ours = stepped_slopes[name]
        np.testing.assert_allclose(ours, slope, rtol=1e-4, atol=1e-5, err_msg=name)


def test_steps_are_taken_only_where_they_spare_something():
    for scope, places in ((Window(1, 1), None), (Causal(), np.arange(2048))):
        grid = Grid.of(2048, 2048, places, places)
        seen = engine.Visibility({}, {"scope": scope}, grid)
        assert bool(stairs.steps_of(seen, 2048, 2048, 4)) == (places is None)
    everything = engine.Visibility({}, {}, Grid.of(2048, 2048))
    assert not stairs.steps_of(everything, 2048, 2048, 4)
    short = engine.Visibility({}, {"causal": Causal()}, Grid.of(128, 128))
    assert not stairs.steps_of(short, 128, 128, 4)
