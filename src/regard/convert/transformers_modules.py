"""Attention blocks of Hugging Face's transformers."""

import math

import numpy as np

from regard import layers
from regard.convert.latent_heads import deepseek
from regard.convert.rotary_configs import rope_of
from regard.convert.weights import array_of, chosen, filled, join_heads, split_heads
from regard.core import positions
from regard.core.scopes import Window


def from_transformers(source, **options):
    """Our layer with the weights of an attention block of ``transformers``.

    ``T5Attention`` becomes ``MultiHeadAttention`` with ``T5Bias``, whose queries are
    scaled so that the scores are not divided by the root of the width.
    ``LlamaAttention`` (also Mistral's and Qwen2's) becomes ``GroupedQueryAttention``
    with ``RoPE``. DeepSeek's become ``MultiHeadLatentAttention``, and
    ``LongformerSelfAttention`` becomes ``LongformerAttention``. Causal masks and global
    tokens stay arguments of the call.

    Args:
        source: the module.
        **options: of our layer, beyond those that are read from the source.

    Raises:
        ValueError: for another module.
    """
    return chosen(_CONVERTERS, source, "transformers")(source, options)


def t5(source, options):
    """``T5Attention``: no division by the root of the width, a bias by distance."""
    heads, width = source.n_heads, source.key_value_proj_dim
    weights = {
        "query/kernel": split_heads(source.q.weight, heads) * math.sqrt(width),
        "key/kernel": split_heads(source.k.weight, heads),
        "value/kernel": split_heads(source.v.weight, heads),
        "attention_output/kernel": join_heads(source.o.weight, heads),
    }
    known = {"num_heads": heads, "key_dim": width, "use_bias": False}
    if source.has_relative_attention_bias:
        known["position"] = positions.T5Bias(
            source.relative_attention_num_buckets,
            source.relative_attention_max_distance,
            bidirectional=not source.is_decoder,
        )
        weights["relative_attention_bias"] = array_of(
            source.relative_attention_bias.weight
        )
    layer = layers.MultiHeadAttention(**{**known, **options})
    return filled(layer, (source.d_model,) * 3, weights)


def llama(source, options):
    """``LlamaAttention`` and those built like it: grouped queries, rotary positions."""
    config, width = source.config, source.head_dim
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    dense = {
        "query": (source.q_proj, heads),
        "key": (source.k_proj, groups),
        "value": (source.v_proj, groups),
    }
    weights = {
        f"{name}/kernel": split_heads(layer.weight, count)
        for name, (layer, count) in dense.items()
    }
    output = source.o_proj
    weights["attention_output/kernel"] = join_heads(output.weight, heads)
    use_bias = any(layer.bias is not None for layer, _ in dense.values())
    if use_bias:
        for name, (layer, count) in dense.items():
            weights[f"{name}/bias"] = bias_of(layer).reshape(count, width)
        weights["attention_output/bias"] = bias_of(output)
    layer = layers.GroupedQueryAttention(
        **{
            "head_dim": width,
            "num_query_heads": heads,
            "num_key_value_heads": groups,
            "use_bias": use_bias,
            "position": rope_of(config),
            "scope": window_of(source),
            **options,
        }
    )
    return filled(layer, (config.hidden_size,) * 3, weights)


def longformer(source, options):
    """``LongformerSelfAttention``: a window, global tokens with projections apart.

    It has no output projection, so ours is the identity.
    """
    heads, wide = source.num_heads, source.embed_dim
    weights = {}
    for name in ("query", "key", "value", "query_global", "key_global", "value_global"):
        dense = getattr(source, name)
        weights[f"{name}/kernel"] = split_heads(dense.weight, heads)
        weights[f"{name}/bias"] = bias_of(dense).reshape(heads, -1)
    identity = np.eye(wide, dtype="float32")
    weights["attention_output/kernel"] = identity.reshape(heads, wide // heads, wide)
    weights["attention_output/bias"] = np.zeros(wide, "float32")
    layer = layers.LongformerAttention(
        **{
            "num_heads": heads,
            "key_dim": source.head_dim,
            "window": source.one_sided_attn_window_size,
            "global_positions": (),
            **options,
        }
    )
    return filled(layer, (wide,), weights)


def bias_of(linear):
    """The bias of a torch Linear, zeros where it has none."""
    if linear.bias is None:
        return np.zeros(linear.out_features, "float32")
    return array_of(linear.bias)


def window_of(source):
    """A sliding window of w keys, the present one among them, sees w - 1 before."""
    size = getattr(source, "sliding_window", None)
    if size is None and "Mistral" in type(source).__name__:
        size = source.config.sliding_window
    return None if size is None else Window(size - 1)


_CONVERTERS = {
    "DeepseekV2Attention": deepseek,
    "DeepseekV3Attention": deepseek,
    "T5Attention": t5,
    "LlamaAttention": llama,
    "LongformerSelfAttention": longformer,
    "MistralAttention": llama,
    "Qwen2Attention": llama,
}
