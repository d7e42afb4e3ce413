"""Sums of tanh without the pairs' units are the plain formula, with its gradients."""

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regard.core import additive, normalizers, scores
from regard.core import attend as engine
from regard.core import plan as planning
from regard.core.limits import Limits
from tests.core.strategies import moderate

BACKEND = keras.backend.backend()

SHAPE = (20, 7, 9)  # one for all: each compiles
# How wide queries and keys lie, and how far they are moved against each other.
widths = st.sampled_from([0.0, 0.1, 1.0, 5.0, 40.0, 1e4])
moves = st.sampled_from([0.0, 3.0, -30.0, 1e4])


@pytest.fixture(autouse=True)
def long(monkeypatch):
    """Inputs count as long ones, which the backends walk over in tiles."""
    monkeypatch.setattr(additive.plain, "MOST", 0)


def inputs(query_width, key_width, move, seed, shape=SHAPE):
    """Two heads of three examples, float32."""
    length, memory, width = shape
    rng = np.random.default_rng(seed)
    query = query_width * rng.normal(size=(3, 2, length, width)) + move
    key = key_width * rng.normal(size=(3, 2, memory, width)) - move
    vector, upstream = rng.normal(size=width), rng.normal(size=(3, 2, length, memory))
    tensors = {"query": query, "key": key, "vector": vector, "upstream": upstream}
    return {name: each.astype("float32") for name, each in tensors.items()}


def expected(query, key, vector, upstream):
    """Sums and gradients in float64."""
    query, key, vector, upstream = (
        np.float64(each) for each in (query, key, vector, upstream)
    )
    units = np.tanh(query[..., :, None, :] + key[..., None, :, :])
    slopes = (1 - units**2) * vector * upstream[..., None]
    return {
        "sums": units @ vector,
        "query": slopes.sum(-2),
        "key": slopes.sum(-3),
        "vector": np.einsum("bhij,bhijd->d", upstream, units),
    }


def found(score, upstream, **given):
    """Sums, and gradients as a backend finds them without a compiler of its own."""
    tensors = [keras.ops.convert_to_tensor(each) for each in given.values()]
    upstream = keras.ops.convert_to_tensor(upstream)
    if BACKEND == "jax":
        import jax

        sums, back = jax.vjp(score, *tensors)
        slopes = back(upstream)
    elif BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            sums = score(*tensors)
        slopes = tape.gradient(sums, tensors, output_gradients=upstream)
    else:
        import torch

        tensors = [each.requires_grad_() for each in tensors]
        sums = score(*tensors)
        slopes = torch.autograd.grad(sums, tensors, upstream)
        sums = sums.detach()
    answers = dict(zip(given, slopes, strict=True), sums=sums)
    return {name: np.asarray(each, "float64") for name, each in answers.items()}


def assert_near(ours, right, upstream):
    """Equal within 1e-5 of the largest.

    The vector's gradient is a difference of sums over all pairs and rounds as they do.
    """
    for name, each in right.items():
        least = np.abs(upstream).sum() / 100 if name == "vector" else 1.0
        bound = 1e-5 * max(np.abs(each).max(), least)
        np.testing.assert_allclose(ours[name], each, rtol=0, atol=bound, err_msg=name)


few = settings(moderate, max_examples=40 if BACKEND == "torch" else 20)


@few
@given(widths, widths, moves, st.integers(0, 99))
@example(1.0, 1.0, 0.0, 0)
@example(40.0, 1.0, 3.0, 0)  # one side alone may be wide
@example(40.0, 40.0, 0.0, 0)
@example(1e4, 1e4, 1e4, 0)
def test_sums_and_gradients_are_those_of_the_formula(
    query_width, key_width, move, seed
):
    given = inputs(query_width, key_width, move, seed)
    ours = found(additive.tanh_sums, **given)
    assert_near(ours, expected(**given), given["upstream"])


@pytest.mark.parametrize("widths", [(1.0, 1.0), (40.0, 40.0)])
def test_short_inputs_have_the_same_sums_and_gradients(monkeypatch, widths):
    monkeypatch.setattr(additive.plain, "MOST", 1 << 23)
    # A shape of its own: JAX keeps what it compiled for the others.
    given = inputs(*widths, 0.0, 0, (18, 6, 9))
    assert_near(
        found(additive.tanh_sums, **given), expected(**given), given["upstream"]
    )


@settings(moderate, max_examples=10)
@given(widths, widths, moves, st.integers(0, 99))
@example(1.0, 1.0, 0.0, 0)
def test_a_single_query_has_the_same_sums_and_gradients(
    query_width, key_width, move, seed
):
    given = inputs(query_width, key_width, move, seed)
    given |= {name: given[name][:, :, :1] for name in ("query", "upstream")}
    assert_near(found(scores.additive, **given), expected(**given), given["upstream"])


def test_a_row_of_nan_stays_in_its_row():
    given = inputs(1.0, 1.0, 0.0, 0)
    right = expected(**given)["sums"]
    given["query"][1, 0, 3] = np.nan
    upstream = given.pop("upstream")
    sums = additive.tanh_sums(*map(keras.ops.convert_to_tensor, given.values()))
    sums = keras.ops.convert_to_numpy(sums)
    assert np.isnan(sums[1, 0, 3]).all()
    sums[1, 0, 3] = right[1, 0, 3]
    assert_near({"sums": sums}, {"sums": right}, upstream)


@pytest.mark.parametrize("lead", [(1, 2), (3, 1), (1, 1)])
def test_axes_of_one_are_shared(lead):
    given = inputs(1.0, 1.0, 0.0, 1)
    given["key"] = given["key"][: lead[0], : lead[1]]
    right = expected(**given)
    axes = tuple(axis for axis in (0, 1) if lead[axis] == 1)
    right["key"] = right["key"].sum(axes, keepdims=True)
    ours = found(additive.tanh_sums, **given)
    assert_near(ours, right, given["upstream"])


@pytest.mark.parametrize("limit", [1 << 25, 1 << 8])  # at once, by rows
@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_attention_by_the_kernel_is_the_plain_one(monkeypatch, limit, kind):
    sizes = Limits(dense=limit, block=limit >> 1, fused=1)
    monkeypatch.setattr(planning, "limits", lambda: sizes)
    rng = np.random.default_rng(7)
    shapes = {"query": (2, 1, 20, 9), "key": (2, 1, 7, 9), "value": (2, 1, 7, 5)}
    given = {n: rng.normal(size=s).astype(kind) for n, s in shapes.items()}
    given["vector"] = rng.normal(size=9).astype("float32")
    mask = rng.random((2, 1, 20, 7)) > 0.3
    mask[1, 0, 4] = False  # an empty row
    way = rng.normal(size=(2, 1, 20, 5)).astype("float32")

    def read(query, key, value, vector):
        recipe = engine.Recipe(scores.additive, normalizers.get("softmax"), (vector,))
        seen = engine.Visibility({"user": keras.ops.convert_to_tensor(mask)})
        context = engine.attend(query, key, value, recipe, seen)["context"]
        return keras.ops.cast(context, "float32")

    def answer(least):
        monkeypatch.setattr(f"regard.core.additive.{BACKEND}.LEAST", least)
        return found(read, **given, upstream=way)

    plain, ours = answer(1 << 60), answer(1)
    for name, each in plain.items():
        bound = (1e-5 if kind == "float32" else 1e-3) * np.abs(each).max()
        np.testing.assert_allclose(ours[name], each, rtol=0, atol=bound, err_msg=name)
    assert not ours["query"][1, 0, 4].any()
