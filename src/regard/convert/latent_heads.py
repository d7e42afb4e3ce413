"""DeepSeek's multi-head latent attention, as transformers writes it."""

import numpy as np

from regard import layers
from regard.convert.rotary_configs import mscale, rope_of
from regard.convert.weights import array_of, filled, join_heads, split_heads


def deepseek(source, options):
    """``DeepseekV2Attention`` and ``DeepseekV3Attention``.

    Their heads end in the turned part, ours begin with it, so columns change places.
    """
    config, heads = source.config, source.num_heads
    plain, turning = source.qk_nope_head_dim, source.qk_rope_head_dim
    interleaved = getattr(config, "rope_interleave", True)
    made = {
        "num_heads": heads,
        "key_dim": plain,
        "latent_dim": source.kv_lora_rank,
        "rope_dim": turning,
        "query_latent_dim": source.q_lora_rank,
        "value_dim": source.v_head_dim,
        "use_bias": bool(config.attention_bias),
        "epsilon": source.kv_a_layernorm.variance_epsilon,
        "mscale": correction(getattr(config, "rope_parameters", None) or {}),
        "position": rope_of(config, "interleaved" if interleaved else "half", turning),
    }
    layer = layers.MultiHeadLatentAttention(**{**made, **options})
    return filled(layer, (source.hidden_size,) * 3, weights_of(source, heads, plain))


def weights_of(source, heads, plain):
    """By the paths of our layer."""
    latent = source.kv_lora_rank
    weights = {"memory_gain": array_of(source.kv_a_layernorm.weight)}
    query = source.q_proj
    if query is None:
        weights["query_gain"] = array_of(source.q_a_layernorm.weight)
        weights |= down("query_down", source.q_a_proj, source.q_lora_rank)
        query = source.q_b_proj
    weights["query/kernel"] = turned_first(split_heads(query.weight, heads), plain)
    weights |= down("memory_down", source.kv_a_proj_with_mqa, latent)
    both = split_heads(source.kv_b_proj.weight, heads)  # (latent, H, plain + value)
    weights["key/kernel"], weights["value/kernel"] = np.split(both, [plain], axis=-1)
    weights["attention_output/kernel"] = join_heads(source.o_proj.weight, heads)
    if source.o_proj.bias is not None:
        weights["attention_output/bias"] = array_of(source.o_proj.bias)
    return weights


def down(name, linear, latent):
    """A projection to a latent of this width, with turned columns after it or none."""
    found = {f"{name}/kernel": turned_first(array_of(linear.weight).T, latent)}
    if linear.bias is not None:
        found[f"{name}/bias"] = turned_first(array_of(linear.bias), latent)
    return found


def turned_first(array, first):
    """[plain, turned] -> [turned, plain] on the last axis."""
    return np.concatenate([array[..., first:], array[..., :first]], axis=-1)


def correction(rope):
    """The root of what YaRN multiplies the scale of the scores by."""
    strength = rope.get("mscale_all_dim", 0)
    if rope.get("rope_type", "default") == "default" or not strength:
        return 1.0
    return mscale(rope["factor"], strength)
