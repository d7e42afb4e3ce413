"""Pixels, windows and grids: which of them asks, what is hidden, either layout."""

import numpy as np
import pytest

import regard
from regard import layers
from tests.seeing.steps.test_padding_and_edges import wrong

IMAGE = np.random.default_rng(1).normal(size=(2, 4, 5, 6)).astype("float32")
REAL = np.random.default_rng(2).random((2, 4, 5)) > 0.3
REAL[1, 2, 3], REAL[1, 0, 0] = True, False
LAYERS = {
    "axial": lambda **o: layers.AxialAttention(2, 3, **o),
    "axial_width_first": lambda **o: layers.AxialAttention(
        2, 3, axes=("width", "height"), **o
    ),
    "axial_rope": lambda **o: layers.AxialAttention(
        2, 4, position=regard.positions.RoPE(), **o
    ),
    "axial_height": lambda **o: layers.AxialAttention(2, 3, axes=("height",), **o),
    "windows": lambda **o: layers.ShiftedWindowAttention(2, (3, 2), (1, 1), **o),
    "one_window": lambda **o: layers.ShiftedWindowAttention(2, (4, 5), 0, **o),
    "non_local": layers.NonLocalAttention,
    "sagan": layers.SAGANAttention,
    "double_attention": lambda **o: layers.DoubleAttention(3, 2, **o),
    "squeeze_excitation": layers.SqueezeExcitation,
    "channel_gate": layers.ChannelGate,
    "spatial_gate": layers.SpatialGate,
    "cbam": layers.CBAM,
    "efficient_channel_gate": layers.EfficientChannelGate,
    "coordinate_gate": layers.CoordinateGate,
    "simam": layers.SimAM,
}


def trained(layer, seed=4):
    """With weights of which none is zero."""
    rng = np.random.default_rng(seed)
    for each in layer.trainable_variables:
        each.assign(rng.normal(size=each.shape, scale=0.5))
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_pixels_behind_a_mask_in_either_layout(name):
    for layout in ("channels_last", "channels_first"):
        first = layout == "channels_first"
        image = np.moveaxis(IMAGE, -1, 1) if first else IMAGE
        layer = LAYERS[name](data_format=layout)
        layer(image)
        trained(layer)
        for query in (13, 0):  # one pixel is real, the other not
            options = {"query": query, "example": 1, "mask": REAL}
            steps = regard.explain(layer, image, **options)
            assert not wrong(steps), (layout, query, wrong(steps))
            assert "output" in [each.what for each in steps.checks]
            assert steps.subject.startswith(f"pixel ({query // 5}, {query % 5})")


def test_a_pixel_is_named_by_row_and_column():
    layer = layers.NonLocalAttention(units=3)
    layer(IMAGE)
    steps = regard.explain(trained(layer), IMAGE, query=7, language="ru")
    assert steps.subject == "пиксель (1, 2)"
    sentence = steps["own_pixel"].sentence.replace("\u00a0", " ")
    assert "в строке 1, столбце 2" in sentence
    np.testing.assert_array_equal(steps["own_pixel"].value, IMAGE[0, 1, 2])


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("sides", [2, 4])
def test_deformable_attention_over_several_images(sides, align_corners):
    rng = np.random.default_rng(6)
    images = [IMAGE, IMAGE[:, :2, :3]]
    query = rng.normal(size=(2, 3, 6)).astype("float32")
    references = rng.random((2, 3, 2, sides)).astype("float32")
    layer = layers.DeformableAttention(2, 3, 2, align_corners=align_corners)
    layer(query, images, references)
    steps = regard.explain(
        trained(layer), query, images, references, query=2, head=1, example=1
    )
    assert not wrong(steps), wrong(steps)
    assert {"scores", "weights", "context", "output"} <= {
        each.what for each in steps.checks
    }


def test_deformable_attention_behind_a_mask():
    rng = np.random.default_rng(7)
    query = rng.normal(size=(2, 3, 6)).astype("float32")
    references = rng.random((2, 3, 2)).astype("float32")
    layer = layers.DeformableAttention(2, 3)
    layer(query, IMAGE, references)
    steps = regard.explain(
        trained(layer), query, IMAGE, references, value_mask=REAL, query=1, example=1
    )
    assert not wrong(steps), wrong(steps)
    assert "whole.level_0" in [each.what for each in steps.checks]


@pytest.mark.parametrize("query", [0, 2])
def test_a_query_that_deformable_attention_may_not_ask(query):
    rng = np.random.default_rng(7)
    points = rng.random((2, 3, 2)).astype("float32")
    asked = {"query_mask": np.arange(3) < [[3], [2]], "query": query, "example": 1}
    layer, queries = layers.DeformableAttention(2, 3), IMAGE[:, :3, 0]
    layer(queries, IMAGE, points)
    steps = regard.explain(trained(layer), queries, IMAGE, points, **asked)
    assert not wrong(steps), wrong(steps)
    assert "weights" in {each.what for each in steps.checks}


def test_features_turn_an_image_of_another_size():
    features = np.random.default_rng(8).normal(size=(2, 3)).astype("float32")
    layer = layers.SpatialTransformer(size=(3, 2))
    layer(IMAGE, features)
    steps = regard.explain(trained(layer), IMAGE, features, query=-1, example=1)
    assert not wrong(steps), wrong(steps)
    assert steps.subject == "pixel (2, 1)"


@pytest.mark.parametrize(
    "layer",
    [
        layers.GridPooling(),
        layers.GridPooling("average", prefixes=True),
        layers.GatedGridPooling(),
        layers.GridAttention(3, "tanh", scope=regard.Causal(offset=1)),
    ],
    ids=lambda layer: layer.name,
)
def test_rows_of_a_grid(layer):
    layer(IMAGE)
    real = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
    options = {"head": 2, "example": 1, "mask": real}
    steps = regard.explain(trained(layer), IMAGE, query=-1, **options)
    assert not wrong(steps), wrong(steps)
    np.testing.assert_array_equal(steps["cells"].value, IMAGE[1, 2])


@pytest.mark.parametrize("reader", ["max", "attention"])
def test_padding_of_a_grid_of_pairs(reader):
    rng = np.random.default_rng(9)
    query, value = (rng.normal(size=(2, n, 3)).astype("float32") for n in (4, 5))
    layer = layers.PervasiveAttention(2, depth=1, reader=reader)
    layer(query, value)
    masks = {"query_mask": REAL[:, :, 0], "value_mask": REAL[:, 0]}
    for number in range(4):
        steps = regard.explain(
            trained(layer), query, value, query=number, example=1, **masks
        )
        assert not wrong(steps), (number, wrong(steps))
