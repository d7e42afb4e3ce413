"""KerasHub's own attention layers are read off, and their answers left alone."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.seeing.intervention import intervening

# KerasHub and the calls it makes warn of their own.
pytestmark = pytest.mark.filterwarnings("ignore")
pytest.importorskip("keras_hub", reason="keras-hub is not installed")

RNG = np.random.default_rng(2)
X = RNG.normal(size=(2, 6, 8)).astype("float32")
KEEP = np.arange(6) < np.array([[6], [4]])
MASK = np.tril(np.ones((6, 6), bool)) & KEEP[:, None]  # (B, T, S)


def of_hub(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"keras_hub.src.models.{module}"), name)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


# Weights from a layer's own kernels, in float64 ---------------------------------------


def projected(dense, inputs=X):
    """(B, T, H, D)."""
    kernel, *bias = (numpy(each).astype("float64") for each in dense.weights)
    if kernel.ndim == 2:
        kernel = kernel.reshape(8, 2, 4)
    if kernel.shape[1] == 8:  # (H, M, D)
        kernel = kernel.swapaxes(0, 1)
    return np.einsum("btm,mhd->bthd", inputs, kernel) + (bias[0] if bias else 0)


def rotated(layer, vectors):
    return numpy(layer.rotary_embedding_layer(vectors.astype("float32")))


def products(query, key):
    key = np.repeat(key, query.shape[2] // key.shape[2], axis=2)
    return np.einsum("bthd,bshd->bhts", query, key) / np.sqrt(query.shape[-1])


def rotary(layer):
    query, key = projected(layer._query_dense), projected(layer._key_dense)
    return products(rotated(layer, query), rotated(layer, key))


def gemma(layer):
    query, key = projected(layer.query_dense), projected(layer.key_dense)
    query, key = (
        numpy(layer._apply_rope(x.astype("float32"), 0)) for x in (query, key)
    )
    return 2.0 * np.tanh(products(query, key) / 2.0)


def gpt_neo_x(layer):
    query, key, _ = np.split(projected(layer._qkv_dense), 3, axis=-1)

    def turned(vectors):
        first = rotated(layer, vectors[..., :2])
        return np.concatenate([first, vectors[..., 2:]], axis=-1)

    return products(turned(query), turned(key))


def gpt_oss(layer):
    query, key = projected(layer.query_dense), projected(layer.key_dense)
    scores = products(rotated(layer, query), rotated(layer, key))
    sinks = numpy(layer.sinks).reshape(1, -1, 1, 1)
    return scores, np.broadcast_to(sinks, (2, 4, 6, 1))


def alibi():
    """(H, 1, S): slopes 2⁻⁴ and 2⁻⁸."""
    return np.array([2.0**-4, 2.0**-8])[:, None, None] * np.arange(-5, 1)


def bloom(layer):
    query, key = projected(layer._query_dense), projected(layer._key_dense)
    return products(query, key) + alibi()


def falcon(layer):
    query, key = projected(layer.query_dense), projected(layer.key_dense)
    return products(query, key) + alibi() / np.sqrt(4)


def t5(layer):
    query, key = projected(layer.query_projector), projected(layer.key_projector)
    return products(query, key) * 2 + numpy(layer.compute_bias(6, 6))


def disentangled(layer):
    places = projected(layer._key_dense, PLACES), projected(layer._query_dense, PLACES)
    query, key = projected(layer._query_dense), projected(layer._key_dense)
    scores = np.einsum("bthd,bshd->bhts", query, key)
    for i in range(6):
        for j in range(6):
            keys, queries = (each[0, i - j + 16] for each in places)
            scores[:, :, i, j] += (query[:, i] * keys).sum(-1)
            scores[:, :, i, j] += (key[:, j] * queries).sum(-1)
    return scores / np.sqrt(3 * 4)


PLACES = RNG.normal(size=(1, 32, 8)).astype("float32")
GROUPS = {"num_query_heads": 4, "num_key_value_heads": 2}
LAYERS = {
    "llama.llama_attention.LlamaAttention": (GROUPS, rotary),
    "mistral.mistral_attention.CachedMistralAttention": (GROUPS, rotary),
    "qwen.qwen_attention.QwenAttention": (
        {**GROUPS, "bias_initializer": "random_normal"},
        rotary,
    ),
    "gemma.gemma_attention.CachedGemmaAttention": (
        {**GROUPS, "head_dim": 4, "logit_soft_cap": 2.0},
        gemma,
    ),
    "gpt_neo_x.gpt_neo_x_attention.GPTNeoXAttention": (
        {"num_heads": 2, "hidden_dim": 8, "rotary_percentage": 0.5},
        gpt_neo_x,
    ),
    "gpt_oss.gpt_oss_attention.GptOssAttention": (GROUPS, gpt_oss),
    "bloom.bloom_attention.BloomAttention": ({"num_heads": 2}, bloom),
    "falcon.falcon_attention.FalconAttention": (
        {"num_heads": 2, "attention_dropout_rate": 0},
        falcon,
    ),
    "t5.t5_multi_head_attention.T5MultiHeadAttention": (
        {
            "is_decoder": True,
            "hidden_dim": 8,
            "key_value_dim": 4,
            "num_heads": 2,
            "dropout": 0,
            "use_relative_attention_bias": True,
        },
        t5,
    ),
    "deberta_v3.disentangled_self_attention.DisentangledSelfAttention": (
        {"num_heads": 2, "hidden_dim": 8, "bucket_size": 16},
        disentangled,
    ),
}


def called(path):
    """A layer and what it is called with beside X."""
    layer = of_hub(path)(**LAYERS[path][0])
    given = {"mask" if "t5" in path else "attention_mask": MASK}
    if "falcon" in path:
        given["alibi"] = np.broadcast_to(alibi(), (2, 2, 1, 6)).astype("float32")
    if "deberta" in path:
        given["rel_embeddings"] = PLACES
    layer(X, **given)
    if "gpt_oss" in path:
        layer.sinks.assign(RNG.normal(size=(4,)))
    return layer, given


@pytest.mark.parametrize("path", LAYERS)
def test_weights_are_what_the_kernels_say(path):
    layer, given = called(path)
    before = numpy(keras.tree.flatten(layer(X, **given))[0])
    maps = regard.attend_to(layer, X, **given)
    assert_array_equal(numpy(keras.tree.flatten(layer(X, **given))[0]), before)
    (trace,) = maps[layer.path]
    scores = LAYERS[path][1](layer)
    scores, *sinks = scores if isinstance(scores, tuple) else (scores,)
    powers = np.exp(scores) * MASK[:, None]
    total = powers.sum(-1, keepdims=True) + sum(np.exp(each) for each in sinks)
    assert_allclose(trace.weights, powers / total, atol=1e-5)
    assert_array_equal(
        np.broadcast_to(trace.mask, powers.shape),
        np.broadcast_to(MASK[:, None], powers.shape),
    )
    if trace.value is not None:
        value = np.repeat(trace.value, powers.shape[1] // trace.value.shape[1], axis=1)
        assert_allclose(trace.weights @ value, trace.context, atol=1e-5)


@pytest.mark.parametrize("path", [path for path in LAYERS if "oss" not in path])
def test_changed_weights_are_read_with(path):
    layer, given = called(path)
    before = numpy(keras.tree.flatten(layer(X, **given))[0])
    with intervening(layer, change=lambda weights, mask: weights):
        same = numpy(keras.tree.flatten(layer(X, **given))[0])
    with intervening(layer, change=lambda weights, mask: weights * 0):
        nothing = numpy(keras.tree.flatten(layer(X, **given))[0])
    assert_allclose(same, before, atol=1e-6)
    assert np.ptp(nothing, axis=(0, 1)).max() < 1e-6  # the bias of the output is left
    assert_array_equal(numpy(keras.tree.flatten(layer(X, **given))[0]), before)


@pytest.mark.parametrize("path", LAYERS)
def test_calls_are_explained_and_agree(path):
    layer, given = called(path)
    (trace,) = regard.attend_to(layer, X, **given)[layer.path]
    for example in (0, 1):
        steps = regard.explain(trace, query=3, example=example)
        assert any(each.check.passed for each in steps if each.check)
        assert not any(each.check.failed for each in steps if each.check)
    assert ("sink" in str(steps)) == ("oss" in path)


# Whole models -------------------------------------------------------------------------

SIZES = {
    "vocabulary_size": 30,
    "num_layers": 1,
    "hidden_dim": 8,
    "intermediate_dim": 12,
}
GROUPED = SIZES | GROUPS
EXPERTS = {"num_experts": 2, "top_k": 1}
TWO_STACKS = {"vocabulary_size": 30, "sliding_window": 3, "attn_logit_softcapping": 5.0}
for stack in ("encoder", "decoder"):
    TWO_STACKS |= {
        f"{stack}_hidden_dim": 8,
        f"{stack}_intermediate_dim": 12,
        f"{stack}_num_layers": 1,
        f"{stack}_num_attention_heads": 4,
        f"{stack}_num_key_value_heads": 2,
        f"{stack}_head_dim": 4,
        f"{stack}_layer_types": ["sliding_attention"],
    }
SMOL = {
    "vocabulary_size": 30,
    "num_layers": 1,
    "hidden_dim": 8,
    "intermediate_dim": 12,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "rope_layer_enabled_list": [True],
    "layer_types": ["full_attention"],
    "mlp_bias": False,
    "layer_norm_epsilon": 1e-6,
    "max_position_embeddings": 20,
    "rope_theta": 1e4,
    "partial_rotary_factor": 1.0,
}
WINDOW = {"use_sliding_window_attention": True, "sliding_window_size": 3}
LINEAR = dict.fromkeys(
    (f"linear_{what}" for what in ("num_key_heads", "num_value_heads")), 2
) | dict.fromkeys((f"linear_{what}_head_dim" for what in ("key", "value")), 4)
MODELS = {  # how many layers attend, and the sizes
    "llama.llama_backbone.LlamaBackbone": (1, GROUPED),
    "gemma.gemma_backbone.GemmaBackbone": (1, GROUPED | WINDOW | {"head_dim": 4}),
    "t5.t5_backbone.T5Backbone": (3, SIZES | {"num_heads": 2}),
    "xlnet.xlnet_backbone.XLNetBackbone": (1, SIZES | {"num_heads": 2}),
    "whisper.whisper_backbone.WhisperBackbone": (
        3,
        SIZES
        | {"num_heads": 2, "max_encoder_sequence_length": 20}
        | {"max_decoder_sequence_length": 6, "num_mels": 5},
    ),
}
KIN = {
    "bloom.bloom_backbone.BloomBackbone": (1, SIZES | {"num_heads": 2}),
    "deberta_v3.deberta_v3_backbone.DebertaV3Backbone": (
        1,
        SIZES | {"num_heads": 2, "bucket_size": 4, "max_sequence_length": 16},
    ),
    "esm.esm_backbone.ESMBackbone": (1, SIZES | {"num_heads": 2}),
    "falcon.falcon_backbone.FalconBackbone": (1, SIZES | {"num_attention_heads": 2}),
    "gemma3.gemma3_backbone.Gemma3Backbone": (
        1,
        GROUPED | WINDOW | {"head_dim": 4, "image_size": 16},
    ),
    "gemma4.gemma4_backbone.Gemma4Backbone": (
        1,
        GROUPED | WINDOW | {"head_dim": 4, "image_size": 16},
    ),
    "gpt_neo_x.gpt_neo_x_backbone.GPTNeoXBackbone": (
        1,
        SIZES | {"num_heads": 2, "rotary_percentage": 0.5},
    ),
    "gpt_oss.gpt_oss_backbone.GptOssBackbone": (
        1,
        GROUPED | EXPERTS | {"sliding_window": 3},
    ),
    "mistral.mistral_backbone.MistralBackbone": (1, GROUPED | {"sliding_window": 3}),
    "mixtral.mixtral_backbone.MixtralBackbone": (
        1,
        GROUPED | EXPERTS | {"sliding_window": 3},
    ),
    "phi3.phi3_backbone.Phi3Backbone": (1, GROUPED),
    "qwen.qwen_backbone.QwenBackbone": (1, GROUPED),
    "qwen3.qwen3_backbone.Qwen3Backbone": (1, GROUPED | {"head_dim": 4}),
    "qwen3_5.qwen3_5_backbone.Qwen3_5Backbone": (
        1,
        GROUPED | LINEAR | {"head_dim": 8, "layer_types": ["full_attention"]},
    ),
    "qwen3_moe.qwen3_moe_backbone.Qwen3MoeBackbone": (
        1,
        GROUPED | EXPERTS | {"head_dim": 4, "moe_intermediate_dim": 6},
    ),
    "qwen_moe.qwen_moe_backbone.QwenMoeBackbone": (
        1,
        GROUPED
        | EXPERTS
        | {"moe_intermediate_dim": 6, "shared_expert_intermediate_dim": 6},
    ),
    "roformer_v2.roformer_v2_backbone.RoformerV2Backbone": (
        1,
        SIZES | {"num_heads": 2, "head_size": 4},
    ),
    "smollm3.smollm3_backbone.SmolLM3Backbone": (1, SMOL),
    "t5gemma.t5gemma_backbone.T5GemmaBackbone": (3, TWO_STACKS),
    "t5gemma2.t5gemma2_backbone.T5Gemma2Backbone": (2, TWO_STACKS),
}
CASES = [
    *MODELS,
    *(pytest.param(path, marks=pytest.mark.thorough) for path in KIN),
]


def inputs_of(model):
    given = {}
    for name in model.input:
        if "features" in name:
            given[name] = RNG.normal(size=(2, 20, 5)).astype("float32")
        elif "padding" in name:
            given[name] = KEEP.astype("int32")
        elif "position" in name:
            given[name] = np.tile(np.arange(6), (2, 1))
        elif "segment" in name:
            given[name] = np.zeros((2, 6), "int32")
        else:
            given[name] = RNG.integers(1, 30, size=(2, 6))
    return given


@pytest.mark.parametrize("path", CASES)
def test_models_are_left_alone_and_seen(path):
    count, sizes = (MODELS | KIN)[path]
    model = of_hub(path)(**sizes)
    given = inputs_of(model)
    before = keras.tree.map_structure(numpy, model(given, training=False))
    with regard.capture(model) as maps:
        inside = keras.tree.map_structure(numpy, model(given, training=False))
    keras.tree.map_structure(assert_array_equal, inside, before)
    assert len(maps) == count and not maps.unread
    for (trace,) in maps.values():
        if path.startswith(("gemma.", "gemma3.", "mistral.", "mixtral.")):
            assert list(trace.masks) == ["padding", "causal", "window"]
        mask = np.broadcast_to(trace.mask, trace.weights.shape)
        seen = mask.any(-1)
        sums = trace.weights.sum(-1)[seen]
        assert (
            (sums < 1).all() if "gpt_oss" in path else np.allclose(sums, 1, atol=1e-5)
        )
        assert np.abs(np.where(mask, 0, trace.weights)[seen]).max() < 1e-6
        if trace.value is not None:
            group = trace.weights.shape[1] // trace.value.shape[1]
            read = trace.weights @ np.repeat(trace.value, group, axis=1)
            assert_allclose(read[seen], trace.context[seen], atol=1e-5)
