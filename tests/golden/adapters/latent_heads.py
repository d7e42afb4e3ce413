"""Multi-head latent attention of the DeepSeek models, and DiffLlama's pairs of maps."""

import math

from keras import ops

from regard.layers import DifferentialAttention, MultiHeadLatentAttention
from tests.golden.adapters.language_models import (
    placed,
    rotations,
    shown,
    sizes,
)
from tests.golden.adapters.relative import dense, kernel, out_dense
from tests.golden.tools import Applied, adapts


@adapts("hf.DeepseekV2Attention", "hf.DeepseekV3Attention")
def deepseek(case):
    options = case.constructor
    heads, turning = options["num_attention_heads"], options["qk_rope_head_dim"]
    plain, latent = options["qk_nope_head_dim"], options["kv_lora_rank"]
    usual = True  # the default of DeepSeek-V3, and how DeepSeek-V2 always turns
    pairing = "interleaved" if options.get("rope_interleave", usual) else "half"
    rope = rotations(case, turning, pairing)
    made = {
        "rope_dim": turning,
        "value_dim": options["v_head_dim"],
        "query_latent_dim": options.get("q_lora_rank"),
        "use_bias": bool(options.get("attention_bias", False)),
        "output_shape": case.arrays["in.hidden_states"].shape[-1],
        "mscale": mscale(options.get("rope_parameters") or {}),
        "position": rope,
    }
    layers = [
        Applied(MultiHeadLatentAttention(heads, plain, latent, absorb=absorb, **made))
        for absorb in (False, True)
    ]
    arguments = placed(case)

    def run(t):
        inputs, weights = t["in.hidden_states"], latent_weights(t, heads, plain, latent)
        mask = arguments(t)
        (output, attention), (absorbed, _) = (
            layer(weights, inputs, **mask, return_attention_scores=True)
            for layer in layers
        )
        # Both ways give the numbers, and half the gradient each.
        output = 0.5 * (output + absorbed)
        return {"out.y": output, "out.attention": attention, **shown(case, rope)}

    return run


def mscale(options):
    """The square root of what YaRN multiplies the scale by."""
    strength = options.get("mscale_all_dim", 0)
    if options.get("rope_type", "default") == "default" or not strength:
        return 1.0
    factor = options["factor"]
    return 1.0 if factor <= 1 else 0.1 * strength * math.log(factor) + 1.0


def latent_weights(t, heads, plain, latent):
    """In the layer's order; its turned parts come first, theirs last."""

    def turned_first(array, first):
        return ops.concatenate([array[..., first:], array[..., :first]], axis=-1)

    weights = []
    if "w.q_a_proj.weight" in t:
        weights.append(ops.transpose(t["w.q_a_proj.weight"]))
        weights += [t[n] for n in ("w.q_a_proj.bias",) if n in t]
        query = t["w.q_b_proj.weight"]
        gains = [t["w.q_a_layernorm.weight"], t["w.kv_a_layernorm.weight"]]
    else:
        query, gains = t["w.q_proj.weight"], [t["w.kv_a_layernorm.weight"]]
    weights.append(turned_first(kernel(query, heads), plain))
    down = ops.transpose(t["w.kv_a_proj_with_mqa.weight"])
    weights.append(turned_first(down, latent))
    bias = t.get("w.kv_a_proj_with_mqa.bias")
    weights += [] if bias is None else [turned_first(bias, latent)]
    up = kernel(t["w.kv_b_proj.weight"], heads)  # (latent, H, plain + value)
    weights += [up[..., :plain], up[..., plain:]]
    return [*gains, *weights, *out_dense(t, "w.o_proj", heads)]


@adapts("hf.DiffLlamaAttention")
def diff_llama(case):
    """Maps h and h + H/2 are a pair; the two halves of the value heads are joined."""
    looks, groups, width = sizes(case)
    options = case.constructor
    rope = rotations(case, width)
    first = 0.8 - 0.6 * math.exp(-0.3 * options["layer_idx"])
    made = {
        "num_heads": looks // 2,
        "key_dim": width,
        "num_key_value_heads": groups // 2,
        "use_bias": bool(options.get("attention_bias", False)),
        "norm_gain": False,
        "epsilon": options.get("rms_norm_eps", 1e-5),
        "output_shape": case.arrays["in.hidden_states"].shape[-1],
        "position": rope,
    }
    layer = Applied(DifferentialAttention(lambda_start=first, **made))
    # With lambda 0 the weights are the first maps, with -1 the sum of both.
    apart = [Applied(DifferentialAttention(lambda_start=n, **made)) for n in (0, -1)]
    arguments = placed(case)

    def run(t):
        inputs, weights = t["in.hidden_states"], pair_weights(t, looks, groups)
        mask = arguments(t)
        learned = [t[f"w.lambda_{n}"] for n in ("q1", "k1", "q2", "k2")]
        none = [ops.zeros_like(each) for each in learned]
        output = layer([*learned, *weights], inputs, **mask)
        maps, both = (
            each([*none, *weights], inputs, **mask, return_attention_scores=True)[1]
            for each in apart
        )
        attention = ops.concatenate([maps, both - maps], axis=1)
        return {"out.y": output, "out.attention": attention, **shown(case, rope)}

    return run


def pair_weights(t, looks, groups):
    """Value heads g and g + G/2 become one of twice the width."""

    def joined(array):
        left, right = array[..., : groups // 2, :], array[..., groups // 2 :, :]
        return ops.concatenate([left, right], axis=-1)

    return [
        *dense(t, "w.q_proj", looks),
        *dense(t, "w.k_proj", groups),
        *(joined(each) for each in dense(t, "w.v_proj", groups)),
        *out_dense(t, "w.o_proj", looks // 2),
    ]
