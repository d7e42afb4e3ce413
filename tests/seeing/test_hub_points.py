"""D-FINE's attention at points of images is read as weights of points, and told."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.seeing.intervention import intervening

# KerasHub and the calls it makes warn of their own.
pytestmark = pytest.mark.filterwarnings("ignore")
pytest.importorskip("keras_hub", reason="keras-hub is not installed")

RNG = np.random.default_rng(5)
SHAPES, POINTS = [(4, 5), (2, 3)], [3, 2]
X = RNG.normal(size=(2, 5, 8)).astype("float32")
IMAGES = RNG.normal(size=(2, 26, 8)).astype("float32")
BOXES = RNG.uniform(0.2, 0.7, size=(2, 5, 1, 4)).astype("float32")
ARGS = X, IMAGES, BOXES, np.array(SHAPES)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def layer_of(method="default", points=POINTS):
    module = importlib.import_module("keras_hub.src.models.d_fine.d_fine_attention")
    kind = module.DFineMultiscaleDeformableAttention
    found = kind(8, 2, 2, 0.5, method, points, 5, SHAPES)
    found(*ARGS)
    for weight in found.trainable_weights:
        weight.assign(numpy(weight) + RNG.normal(size=weight.shape) / 3)
    return found


@pytest.fixture
def layer():
    return layer_of()


def told(dense):
    """(B, T, H, P, …): what the queries alone say, in float64."""
    kernel, bias = (numpy(each).astype("float64") for each in dense.weights)
    return np.tensordot(X.astype("float64"), kernel, 1) + bias


def pixel(image, row, column):
    height, width = image.shape[:2]
    inside = 0 <= row < height and 0 <= column < width
    return image[int(row), int(column)] if inside else np.zeros(image.shape[2])


def between(image, x, y):
    """What lies at (x, y), parts of the image (H, W, D), between four pixels."""
    column, row = x * image.shape[1] - 0.5, y * image.shape[0] - 0.5
    left, top = np.floor(column), np.floor(row)
    total = 0.0
    for r, below in ((top, 1 - (row - top)), (top + 1, row - top)):
        for c, beside in ((left, 1 - (column - left)), (left + 1, column - left)):
            total = total + below * beside * pixel(image, r, c)
    return total


def test_weights_and_places_are_what_the_kernels_say(layer):
    before = [numpy(each) for each in layer(*ARGS)]
    with regard.capture(layer) as maps:
        inside = [numpy(each) for each in layer(*ARGS)]
    for first, second in zip(inside, before, strict=True):
        assert_array_equal(first, second)
    (trace,) = maps[layer.path]
    assert not maps.unread and trace.mechanism == "deformable"
    powers = np.exp(told(layer.attention_weights))
    weights = (powers / powers.sum(-1, keepdims=True)).swapaxes(1, 2)
    assert_allclose(trace.weights, weights, atol=1e-6)
    share = np.repeat(1 / np.array(POINTS), POINTS)[:, None]
    boxes = BOXES.astype("float64")[:, :, :, None]  # (B, T, 1, 1, 4)
    aims = told(layer.sampling_offsets) * share * boxes[..., 2:] * 0.5
    assert_allclose(trace.extra["places"], boxes[..., :2] + aims, atol=1e-5)


def test_the_answer_is_read_at_the_places_with_the_weights(layer):
    (trace,) = regard.attend_to(layer, *ARGS)[layer.path]
    places, answer = trace.extra["places"], numpy(layer(*ARGS)[0])
    images = np.split(IMAGES.reshape(2, 26, 2, 4), [20], axis=1)
    level = np.repeat([0, 1], POINTS)
    for b, t, h in np.ndindex(2, 5, 2):
        grids = [
            each[b, :, h].reshape(*shape, 4)
            for each, shape in zip(images, SHAPES, strict=True)
        ]
        found = [between(grids[level[p]], *places[b, t, h, p]) for p in range(5)]
        read = trace.weights[b, h, t] @ np.array(found)
        assert_allclose(answer[b, t, 4 * h : 4 * h + 4], read, atol=1e-5)


def test_rows_alone_are_those_of_the_table(layer):
    (whole,) = regard.attend_to(layer, *ARGS)[layer.path]
    (part,) = regard.attend_to(layer, *ARGS, rows=[0, -1])[layer.path]
    assert_array_equal(part.weights, whole.weights[:, :, [0, 4]])


COMPARED = ["whole.places[i, h]", "scores", "weights", "context"]


@pytest.mark.parametrize("points", [POINTS, 2])
@pytest.mark.parametrize("method", ["default", "discrete"])
def test_calls_are_explained_to_what_was_read(method, points):
    layer = layer_of(method, points)
    (trace,) = regard.attend_to(layer, *ARGS)[layer.path]
    for query, head in np.ndindex(5, 2):
        steps = regard.explain(trace, query=query, head=head, example=1)
        checks = [each.check for each in steps if each.check]
        assert [each.what for each in checks] == COMPARED
        assert all(each.passed for each in checks)
        assert_allclose(steps[-1].value, numpy(layer(*ARGS)[0])[1, query], atol=1e-6)


def test_an_answer_that_was_not_read_at_the_places_does_not_pass(layer):
    (trace,) = regard.attend_to(layer, *ARGS)[layer.path]
    moved = {**trace.extra, "places": trace.extra["places"][:, :, :, ::-1]}
    steps = regard.explain(replace(trace, extra=moved), query=1)
    failed = [each.check.what for each in steps if each.check and each.check.failed]
    assert failed == ["whole.places[i, h]", "context"]


def test_an_exception_inside_leaves_the_layer_as_it_was(layer):
    short = ARGS[0], ARGS[1][:, :7], *ARGS[2:]
    with (
        regard.capture(layer),
        pytest.raises(Exception, match=r"size|shape|slice|invalid"),
    ):
        layer(*short)
    assert not {"call", "compute_attention"} & set(vars(layer))


def test_points_are_no_keys_to_be_changed(layer):
    with (
        pytest.raises(ValueError, match="between the pixels"),
        intervening(layer, change=lambda weights, mask: weights),
    ):
        layer(*ARGS)
