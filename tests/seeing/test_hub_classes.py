"""Every attention class of KerasHub is read."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

import regard
from regard.seeing.intervention import intervening
from regard.seeing.keras_layers import hub

# KerasHub and the calls it makes warn of their own.
pytestmark = pytest.mark.filterwarnings("ignore")
keras_hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(2, 3, 4, 8)).astype("float32")  # images
WORDS = RNG.normal(size=(2, 5, 8)).astype("float32")
FLAT = X.reshape(2, 12, 8)
TURN = RNG.normal(size=(2, 12, 4)).astype("float32")
PLACES = RNG.normal(size=(2, 5, 2, 2)).astype("float32")
CAUSAL = np.tril(np.ones((2, 5, 5), "int32"))

# What holds an attention layer that is read, and reads nothing itself.
AROUND = {
    *("DINOV2Attention", "DisentangledAttentionEncoder", "MobileAttention"),
    *("Gemma3nAudioConformerAttention", "Gemma4AudioConformerAttention"),
    *("MultiHeadAttentionPooling", "QFormerAttention", "SelfAttention"),
    *("SigLIPMultiHeadAttentionPooling", "TwoWayMultiHeadAttention"),
}


def of_hub(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"keras_hub.src.models.{module}"), name)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def classes():
    """Layers of KerasHub that attend, by their names or by what they call."""
    for folder in ("layers", "models"):
        package = importlib.import_module(f"keras_hub.src.{folder}")
        prefix = f"{package.__name__}."
        for found in pkgutil.walk_packages(package.__path__, prefix):
            if not found.name.endswith("_test"):
                module = importlib.import_module(found.name)
                yield from filter(attends, own_layers(module))


def own_layers(module):
    for each in vars(module).values():
        if inspect.isclass(each) and each.__module__ == module.__name__:
            if issubclass(each, keras.layers.Layer):
                yield each


def attends(kind):
    if "Attention" in kind.__name__:
        return "Mask" not in kind.__name__
    called = "dot_product_attention(" in inspect.getsource(kind)
    return called and not issubclass(kind, keras.Model)


def test_every_class_is_known():
    of_keras = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
    known = {*hub._READ, *AROUND}
    found = list(classes())
    strange = [
        each.__name__
        for each in found
        if not issubclass(each, of_keras)
        and not known & {base.__name__ for base in each.__mro__}
    ]
    assert len(found) > 50 and not strange
    assert known <= {each.__name__ for each in found}


# Weights from a layer's own kernels ---------------------------------------------------


def projected(dense, inputs):
    kernel, *bias = (numpy(each).astype("float64") for each in dense.weights)
    return inputs @ kernel.reshape(inputs.shape[-1], -1) + (bias[0] if bias else 0)


def heads(vectors, count=2):
    """(B, T, H D) -> (B, H, T, D)."""
    return vectors.reshape(*vectors.shape[:2], count, -1).swapaxes(1, 2)


def products(query, key):
    return query @ key.swapaxes(2, 3) / np.sqrt(query.shape[-1])


def thirds(dense, inputs):
    """Query and key of one projection for all three."""
    return [heads(each) for each in np.split(projected(dense, inputs), 3, -1)[:2]]


def grid(layer):
    return products(*thirds(layer.qkv, FLAT))


def one_key_for_all(layer):
    query = heads(projected(layer.query_layers[0], FLAT))
    return products(query, projected(layer.key_layers[0], FLAT)[:, None])


def one_head(layer):
    normed = numpy(layer.group_norm(X)).reshape(2, 12, 8)
    pair = projected(layer.query_conv2d, normed), projected(layer.key_conv2d, normed)
    return products(*(each[:, None] for each in pair))


def turned_by_half(vectors, cosine, sine):
    left, right = np.split(vectors, 2, -1)
    return vectors * cosine + np.concatenate([-right, left], -1) * sine


def of_one_image(layer):
    query, key = thirds(layer.qkv, FLAT[:1])
    return products(*(turned_by_half(each, *TURN) for each in (query, key)))


def turned_in_pairs(vectors, cosine, sine):
    left, right = vectors[..., ::2], vectors[..., 1::2]
    return vectors * cosine + np.stack([-right, left], -1).reshape(vectors.shape) * sine


def rope(layer):
    pair = (heads(projected(each, FLAT)) for each in (layer.q_proj, layer.k_proj))
    return products(*(turned_in_pairs(each, *TURN) for each in pair))


def flux(layer):
    query, key = (
        each.astype("float32") for each in thirds(layer.qkv, WORDS.astype("float64"))
    )
    apply = of_hub("flux.flux_maths.ApplyRoPE")()
    return products(*map(numpy, apply(*layer.norm(query, key), PLACES)))


def plain(layer):
    pair = layer._query_dense, layer._key_dense
    return products(*(heads(projected(each, WORDS)) for each in pair))


def gemma3n(layer):
    def seen(dense, norm, count):
        vectors = projected(dense, WORDS).astype("float32").reshape(2, 5, count, 4)
        return numpy(layer.rotary_embedding(norm(vectors), start_index=0))

    query = seen(layer.q_proj, layer.q_norm, 4).swapaxes(1, 2)
    key = seen(layer.k_proj, layer.k_norm, 2).swapaxes(1, 2).repeat(2, axis=1)
    return query @ key.swapaxes(2, 3)


CASES = {  # path: sizes, what it is called with, scores
    "mobilenetv5.mobilenetv5_attention.Attention2d": (
        {"filters": 8, "num_heads": 2, "channel_axis": -1}
        | {"data_format": "channels_last"},
        ((X,), {"training": False}),
        grid,
    ),
    "mobilenetv5.mobilenetv5_attention.MultiQueryAttention2d": (
        {"filters": 8, "num_heads": 2, "key_dim": 4, "channel_axis": -1}
        | {"data_format": "channels_last", "value_dim": 4},
        ((X,), {"training": False}),
        one_key_for_all,
    ),
    "vit_det.vit_layers.MultiHeadAttentionWithRelativePE": (
        {"num_heads": 2, "key_dim": 4},
        ((X,), {}),
        grid,
    ),
    "vae.vae_layers.Conv2DMultiHeadAttention": (
        {"filters": 8, "groups": 2, "data_format": "channels_last"},
        ((X,), {}),
        one_head,
    ),
    "qwen3_5.qwen3_5_vision_encoder.Qwen3_5VisionAttention": (
        {"hidden_size": 8, "num_heads": 2},
        ((FLAT[0], tuple(TURN)), {}),
        of_one_image,
    ),
    "sam3.sam3_layers.SAM3RoPEAttention": (
        {"hidden_dim": 8, "num_heads": 2},
        ((X, tuple(TURN)), {}),
        rope,
    ),
    "flux.flux_layers.SelfAttention": (
        {"dim": 8, "num_heads": 2},
        ((WORDS, PLACES), {}),
        flux,
    ),
    "moonshine.moonshine_multi_head_attention.MoonshineMultiHeadAttention": (
        {"num_heads": 2, "key_dim": 4},
        ((WORDS, WORDS, WORDS), {}),
        plain,
    ),
    "gemma3n.gemma3n_attention.Gemma3nTextAttention": (
        {"hidden_size": 8, "num_attention_heads": 4, "num_key_value_heads": 2}
        | {"head_dim": 4, "attention_dropout": 0.0, "attention_bias": False}
        | {"rms_norm_eps": 1e-6},
        ((WORDS, CAUSAL), {}),
        gemma3n,
    ),
}


@pytest.mark.parametrize("path", CASES)
def test_weights_are_what_the_kernels_say(path):
    sizes, (args, options), scores_of = CASES[path]
    layer = of_hub(path)(**sizes)
    before = numpy(keras.tree.flatten(layer(*args, **options))[0])
    maps = regard.attend_to(layer, *args, **options)
    (trace,) = next(iter(maps.values()))
    shown = CAUSAL[:, None] if "gemma" in path else 1
    powers = np.exp(scores_of(layer)) * shown
    assert_allclose(trace.weights, powers / powers.sum(-1, keepdims=True), atol=1e-5)
    assert list(trace.masks) == (["causal"] if "gemma" in path else [])
    if trace.value is not None:
        group = trace.weights.shape[1] // trace.value.shape[1]
        read = trace.weights @ trace.value.repeat(group, axis=1)
        assert_allclose(read, trace.context, atol=1e-5)
    with intervening(layer, change=lambda weights, mask: weights):
        same = numpy(keras.tree.flatten(layer(*args, **options))[0])
    assert_allclose(same, before, atol=1e-5)
    with intervening(layer, change=lambda weights, mask: weights * 0):
        nothing = numpy(keras.tree.flatten(layer(*args, **options))[0])
    assert np.abs(nothing - before).max() > 1e-3


@pytest.mark.parametrize("path", CASES)
def test_hidden_keys_leave_their_share_to_the_others(path):
    sizes, (args, options), _ = CASES[path]
    layer = of_hub(path)(**sizes)
    (trace,) = next(iter(regard.attend_to(layer, *args, **options).values()))
    keys = trace.weights.shape[3]
    shown = (np.arange(keys) < keys - 1)[None, None, None]
    found = []

    def noted(weights, mask):
        found.append(numpy(weights))
        return weights

    with intervening(layer, change=noted, shown=shown):
        layer(*args, **options)
    left = trace.weights * shown
    assert len(found) == 1  # each heart is changed once
    assert_allclose(found[0], left / left.sum(-1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("path", CASES)
def test_each_of_nested_blocks_changes_weights_once(path):
    sizes, (args, options), _ = CASES[path]
    layer, found = of_hub(path)(**sizes), []

    def halved(weights, mask):
        found.append(numpy(weights))
        return weights / 2

    layer(*args, **options)
    with intervening(layer, change=halved), intervening(layer, change=halved):
        layer(*args, **options)
    assert len(found) == 2
    assert_allclose(found[1], found[0] / 2, atol=1e-6)


def test_frames_of_an_image_are_calls_of_their_own():
    layer = of_hub("qwen3_5.qwen3_5_vision_encoder.Qwen3_5VisionAttention")(8, 2)
    ends = ops.convert_to_tensor([0, 8, 12])
    maps = regard.attend_to(layer, FLAT[0], tuple(TURN), ends)
    assert [each.weights.shape for each in maps[layer.path]] == [
        (1, 2, 8, 8),
        (1, 2, 4, 4),
    ]


def test_blocks_that_attend_over_two_streams_are_read():
    layer = of_hub("stable_diffusion_3.mmdit.MMDiTBlock")(2, 8, use_dual_attention=True)
    given = WORDS, WORDS[:, :3], WORDS[:, 0]
    with regard.capture(layer) as maps:
        layer(*given)
    both, own = maps[layer.path]  # context and image together; the image alone
    assert both.weights.shape == (2, 2, 8, 8) and own.weights.shape == (2, 2, 5, 5)
    (image, _, _), (context, _) = (
        layer.x_block(given[0], timestep_embedding=given[2]),
        layer.context_block(given[1], timestep_embedding=given[2]),
    )
    pair = [
        np.concatenate([numpy(context[n]), numpy(image[n])], 1).swapaxes(1, 2)
        for n in (0, 1)
    ]
    powers = np.exp(products(*pair))
    assert_allclose(both.weights, powers / powers.sum(-1, keepdims=True), atol=1e-5)
    if both.value is not None:  # by a fused path, which not every backend takes
        assert_allclose(both.weights @ both.value, both.context, atol=1e-5)


def test_what_holds_a_layer_that_is_read_is_not_reported():
    layer = of_hub("dinov2.dinov2_layers.DINOV2Attention")(8, 2)
    layer(WORDS)
    maps = regard.attend_to(layer, WORDS)
    assert [*maps] == [layer.attention.path] and not maps.unread


@pytest.mark.parametrize("path", CASES)
def test_calls_are_explained_and_agree(path):
    sizes, (args, options), _ = CASES[path]
    (trace,) = next(
        iter(regard.attend_to(of_hub(path)(**sizes), *args, **options).values())
    )
    for query in (0, trace.weights.shape[2] - 1):
        steps = regard.explain(trace, query=query, head=1 % trace.weights.shape[1])
        assert any(each.check.passed for each in steps if each.check)
        assert not any(each.check.failed for each in steps if each.check)
