"""KerasHub's attention in blocks of frames is read as a table of all frames."""

import importlib

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.seeing.intervention import intervening

# KerasHub and the calls it makes warn of their own.
pytestmark = pytest.mark.filterwarnings("ignore")
pytest.importorskip("keras_hub", reason="keras-hub is not installed")

RNG = np.random.default_rng(4)
BLOCK, PAST, WINDOW = 3, 2, 6
PADDED = 2  # frames of the second example
KINDS = {
    "three": "gemma3n.gemma3n_attention.Gemma3nAudioAttention",
    "four": "gemma4.gemma4_audio_encoder.Gemma4AudioAttention",
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def heard(frames):
    return np.arange(frames) < np.array([[frames], [max(frames - PADDED, 0)]])


def called(kind, frames=7, future=1, dtype="float32"):
    """A layer whose scale was learned, and what it is called with."""
    module, name = KINDS[kind].rsplit(".", 1)
    module = importlib.import_module(f"keras_hub.src.models.{module}")
    x = RNG.normal(size=(2, frames, 8)).astype("float32")
    if kind == "three":
        layer = getattr(module, name)(8, 2, BLOCK, future, PAST + 1, 2.0, dtype=dtype)
        args = x, ~heard(frames)
    else:
        layer = getattr(module, name)(
            8, 2, BLOCK, PAST + 1, future, logit_cap=2.0, dtype=dtype
        )
        ahead = np.arange(BLOCK + PAST + future) - np.arange(BLOCK)[:, None]
        args = x, heard(frames), (ahead >= 0) & (ahead <= PAST + future)
    layer(*args)
    layer.per_dim_scale.assign(RNG.normal(size=(4,)))
    return layer, args


def places(kind, layer, past, future):
    """Vectors (past + future + 1, H, D) of how far before a query a key stands."""
    inner = layer.relative_position_embedding if kind == "three" else layer.rpe
    before = np.arange(past, -future - 1, -1)
    slower = np.exp(-np.arange(4) * np.log(1e4) / 3)
    waves = before[:, None] * slower
    signal = np.concatenate([np.sin(waves), np.cos(waves)], -1)
    (kernel,) = (numpy(each).astype("float64") for each in inner.weights)
    return (signal @ kernel).reshape(-1, 2, 4)


def weights_by_hand(kind, layer, args, future):
    """(B, H, T, T) in float64, pair by pair."""
    x, seen = args[0].astype("float64"), heard(args[0].shape[1])
    query, key = (
        (x @ numpy(getattr(dense, "dense", dense).kernel).astype("float64")).reshape(
            2, -1, 2, 4
        )
        for dense in (layer.q_proj, layer.k_proj)
    )
    scale = numpy(layer.per_dim_scale).astype("float64")
    query = query / 2 / np.log(2) * np.log1p(np.exp(scale))
    key = key * (1 if kind == "three" else np.log(1 + np.e) / np.log(2))
    embedded = places(kind, layer, PAST, future)
    frames = x.shape[1]
    scores = np.full((2, 2, frames, frames), -np.inf)
    for i in range(frames):
        for j in range(max(0, i - PAST), min(frames, i + future + 1)):
            moved = key[:, j] + embedded[PAST - (i - j)]
            raw = (query[:, i] * moved).sum(-1)
            scores[:, :, i, j] = 2 * np.tanh(raw / 2)
    scores = np.where(seen[:, None, None], scores, -np.inf)
    powers = np.exp(scores)
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("future", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_what_the_kernels_say(kind, future):
    layer, args = called(kind, future=future)
    before = numpy(layer(*args))
    with regard.capture(layer) as maps:
        inside = numpy(layer(*args))
    assert_array_equal(inside, before)
    (trace,) = maps[layer.path]
    assert_allclose(
        trace.weights, weights_by_hand(kind, layer, args, future), atol=1e-5
    )
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-5)
    joined = trace.context.swapaxes(1, 2).reshape(before.shape)
    assert_array_equal(joined, before)
    causes = ["window"] if future else ["causal", "window"]
    assert list(trace.masks) == ["padding", *causes]
    ahead = np.arange(7) - np.arange(7)[:, None]
    near = (ahead >= -PAST) & (ahead <= future)
    assert_array_equal(trace.mask[:, 0], heard(7)[:, None] & near)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_alone_are_those_of_the_table(kind):
    layer, args = called(kind)
    (whole,) = regard.attend_to(layer, *args)[layer.path]
    (part,) = regard.attend_to(layer, *args, rows=[0, -1], heads=[1])[layer.path]
    assert_array_equal(part.weights, whole.weights[:, 1:, [0, 6]])
    assert_array_equal(part.mask, whole.mask[:, :, [0, 6]])


@pytest.mark.parametrize("frames", [1, 3, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_changed_weights_are_read_with(kind, frames):
    layer, args = called(kind, frames)
    before, found = numpy(layer(*args)), []

    def noted(weights, mask):
        found.append(numpy(weights))
        return weights

    with intervening(layer, change=noted):
        same = numpy(layer(*args))
    with intervening(layer, change=lambda weights, mask: weights * 0):
        nothing = numpy(layer(*args))
    own = ops.eye(frames)
    with intervening(layer, change=lambda weights, mask: weights * 0 + own):
        itself = numpy(layer(*args))
    (trace,) = regard.attend_to(layer, *args)[layer.path]
    assert_array_equal(same, before)
    assert len(found) == 1 and not nothing.any()
    assert_array_equal(found[0], trace.weights)
    value = trace.value.swapaxes(1, 2).reshape(itself.shape)
    assert_allclose(itself, value, atol=1e-6)
    assert_array_equal(numpy(layer(*args)), before)


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_frames_leave_their_share_to_the_others(kind):
    layer, args = called(kind)
    (trace,) = regard.attend_to(layer, *args)[layer.path]
    shown, found = (np.arange(7) != 3)[None, None, None], []

    def noted(weights, mask):
        found.append(numpy(weights))
        return weights

    with intervening(layer, change=noted, shown=shown):
        layer(*args)
    left = trace.weights * shown
    assert_allclose(found[0], left / left.sum(-1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "dtype"),  # the newer one computes in float32 alone
    [
        ("four", "float32"),
        *(("three", dtype) for dtype in ("float32", "mixed_float16", "mixed_bfloat16")),
    ],
)
def test_every_row_is_explained(kind, dtype):
    layer, args = called(kind, 2, dtype=dtype)  # the second example has only padding
    (trace,) = regard.attend_to(layer, *args)[layer.path]
    nothing = np.full((2, 2, 2), 1 / WINDOW)  # places beyond the frames take the rest
    assert_allclose(trace.weights[1], nothing, atol=1e-6)
    for example in (0, 1):
        steps = regard.explain(trace, query=1, example=example)
        assert not any(each.check.failed for each in steps if each.check)
    assert "beyond them" in str(steps)
