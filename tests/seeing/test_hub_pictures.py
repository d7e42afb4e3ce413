"""KerasHub's attention layers of pictures are read off, their answers left alone."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

import regard
from regard.seeing.intervention import intervening

# KerasHub and the calls it makes warn of their own.
pytestmark = pytest.mark.filterwarnings("ignore")
pytest.importorskip("keras_hub", reason="keras-hub is not installed")

X = np.random.default_rng(2).normal(size=(2, 6, 8)).astype("float32")


def of_hub(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"keras_hub.src.models.{module}"), name)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


PICTURES = {  # path: sizes, and how many times X it is called with
    "swin_transformer.swin_transformer_layers.WindowAttention": (
        {"dim": 8, "window_size": (2, 2), "num_heads": 2},
        1,
    ),
    "pali_gemma.pali_gemma_vit.PaliGemmaVitAttention": (
        {"hidden_dim": 8, "num_heads": 2},
        1,
    ),
    "gemma3.gemma3_vision_encoder.Gemma3VisionAttention": (
        {"hidden_dim": 8, "num_heads": 2},
        1,
    ),
    "gemma4.gemma4_attention.Gemma4VisionAttention": (
        {"head_dim": 4, "num_query_heads": 2, "num_key_value_heads": 2},
        1,
    ),
    "mit.mit_layers.SegFormerMultiheadAttention": (
        {"project_dim": 8, "num_heads": 2, "sr_ratio": 1},
        1,
    ),
    "sam.sam_layers.MultiHeadAttentionWithDownsampling": (
        {"num_heads": 2, "key_dim": 4, "downsample_rate": 1},
        3,
    ),
    "d_fine.d_fine_attention.DFineMultiheadAttention": (
        {"embedding_dim": 8, "num_heads": 2},
        1,
    ),
    "dinov3.dinov3_layers.DINOV3Attention": ({"hidden_dim": 8, "num_heads": 2}, 1),
    "sam3.sam3_layers.SAM3Attention": ({"hidden_dim": 8, "num_heads": 2}, 3),
    "video_prism.video_prism_layers.VideoPrismAttention": (
        {"hidden_dim": 8, "num_heads": 2, "key_dim": 4},
        3,
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("path", PICTURES)
def test_layers_of_pictures_read_with_the_weights_that_are_seen(path):
    sizes, count = PICTURES[path]
    length = 4 if "window_size" in sizes else 6
    layer, inputs = of_hub(path)(**sizes), [X[:, :length]] * count
    before = numpy(keras.tree.flatten(layer(*inputs))[0])
    maps = regard.attend_to(layer, *inputs)
    (trace,) = maps[layer.path]
    assert trace.weights.shape == (2, 2, length, length)
    assert_allclose(trace.weights.sum(-1), 1, atol=1e-5)
    seen = []

    def look(weights, mask):
        seen.append(numpy(weights))
        return weights

    with intervening(layer, change=look):
        same = numpy(keras.tree.flatten(layer(*inputs))[0])
    with intervening(layer, change=lambda weights, mask: weights * 0):
        nothing = numpy(keras.tree.flatten(layer(*inputs))[0])
    assert_allclose(seen[0], trace.weights, atol=1e-6)
    assert_allclose(same, before, atol=1e-6)
    assert np.ptp(nothing, axis=(0, 1)).max() < 1e-6 < np.ptp(before, axis=(0, 1)).max()
