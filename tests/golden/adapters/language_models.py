"""Attention blocks of language models: grouped heads, turned by their positions."""

import re

from keras import ops

from regard import normalizers, norms
from regard.core.positions import RoPE
from regard.layers import GroupedQueryAttention
from tests.golden.adapters.relative import dense, headed, kernel, out_dense
from tests.golden.adapters.rotary import SCALINGS
from tests.golden.tools import Applied, adapts, refuse_options


def sizes(case):
    """Heads, key heads and their width, as a configuration gives or implies them."""
    options = case.constructor
    heads = options["num_attention_heads"]
    groups = options.get("num_key_value_heads") or heads
    width = options.get("head_dim") or options["hidden_size"] // heads
    return heads, groups, width


def places_of(case):
    """Positions "3..9" of a call as integers."""
    length = case.arrays["in.hidden_states"].shape[1]
    found = re.fullmatch(r"(\d+)\.\.(\d+)", str(case.call.get("positions", "")))
    first, last = map(int, found.groups()) if found else (0, length - 1)
    if last - first + 1 != length:
        raise NotImplementedError(f"positions={case.call['positions']!r}")
    return range(first, last + 1)


def rotations(case, width, pairing="half"):
    """The scheme, and functions for its cosines, sines and angles."""
    options = dict(case.constructor.get("rope_parameters") or {})
    turning = int(width * options.get("partial_rotary_factor", 1.0))
    kind, base = options.get("rope_type", "default"), options.get("rope_theta", 1e4)
    scaling = SCALINGS[kind](options, case.constructor, places_of(case)[-1] + 1)
    return RoPE(base, pairing, width=turning, scaling=scaling)


def shown(case, rope):
    """Cosines and sines (T, ·) or angles, as far as the case holds them."""
    places = ops.convert_to_tensor(list(places_of(case)), dtype="int32")
    half = ops.ones((1, 1, len(places), rope.width // 2))
    unit = ops.concatenate([half, ops.zeros_like(half)], axis=-1)
    plain = RoPE(rope.base, scaling=rope.scaling)
    cosine, sine = ops.split(plain.rotate(unit, places)[0, 0], 2, axis=-1)
    outputs = {"out.rope_angle": ops.arctan2(sine, cosine)}
    for name, each in (("out.cos", cosine), ("out.sin", sine)):
        wide = name in case.arrays and case.arrays[name].shape[-1] == rope.width
        outputs[name] = ops.concatenate([each, each], axis=-1) if wide else each
    return {name: each for name, each in outputs.items() if name in case.arrays}


def placed(case):
    """Arguments of a call: positions, and the mask of pairs."""
    places = ops.convert_to_tensor(list(places_of(case)), dtype="int32")

    def arguments(t):
        keep = t["in.keep"]
        return {
            "attention_mask": keep[:, 0] if keep.shape[1] == 1 else keep,
            "query_positions": places,
            "key_positions": places,
        }

    return arguments


def grouped(case, weights, pairing="half", rope=True, query=None, **options):
    """A run of grouped heads; ``weights(t)`` in the order of the layer."""
    heads, groups, width = sizes(case)
    turn = rotations(case, width, pairing)
    layer = Applied(
        GroupedQueryAttention(
            width,
            heads,
            groups,
            use_bias=bool(case.constructor.get("attention_bias", False)),
            output_shape=case.arrays["in.hidden_states"].shape[-1],
            position=turn if rope else None,
            **options,
        )
    )
    arguments = placed(case)

    def run(t):
        inputs = t["in.hidden_states"]
        asked = inputs if query is None else query(inputs)
        output, attention = layer(
            weights(t), asked, inputs, **arguments(t), return_attention_scores=True
        )
        return {"out.y": output, "out.attention": attention, **shown(case, turn)}

    return run


def projections(case):
    """The four projections in the layer's order."""
    heads, groups, _ = sizes(case)

    def weights(t):
        return [
            *dense(t, "w.q_proj", heads),
            *dense(t, "w.k_proj", groups),
            *dense(t, "w.v_proj", groups),
            *out_dense(t, "w.o_proj", heads),
        ]

    return weights


@adapts("hf.LlamaAttention", "hf.MistralAttention")
def llama(case):
    return grouped(case, projections(case))


@adapts("hf.Qwen3Attention")
def qwen3(case):
    plain = projections(case)
    norm = norms.RMS(epsilon=case.constructor.get("rms_norm_eps", 1e-6))

    def weights(t):
        return [t["w.q_norm.weight"], t["w.k_norm.weight"], *plain(t)]

    return grouped(case, weights, query_key_norm=norm)


@adapts("hf.Qwen3NextAttention")
def qwen3_next(case):
    """Every head's query and gate come from one projection; gains are 1 + weight."""
    heads, groups, width = sizes(case)
    norm = norms.RMS(epsilon=case.constructor.get("rms_norm_eps", 1e-6))

    def weights(t):
        both = kernel(t["w.q_proj.weight"], heads)  # (D, H, 2 width)
        query, gate = [both[..., :width]], [both[..., width:]]
        if "w.q_proj.bias" in t:
            bias = headed(t["w.q_proj.bias"], heads)
            query.append(bias[:, :width])
            gate.append(bias[:, width:])
        return [
            1.0 + t["w.q_norm.weight"],
            1.0 + t["w.k_norm.weight"],
            *query,
            *dense(t, "w.k_proj", groups),
            *gate,
            *dense(t, "w.v_proj", groups),
            *out_dense(t, "w.o_proj", heads),
        ]

    return grouped(case, weights, query_key_norm=norm, use_gate=True)


@adapts("hf.Gemma2Attention")
def gemma2(case):
    cap = case.constructor.get("attn_logit_softcapping", 50.0)
    normalizer = "softmax" if cap is None else normalizers.SoftCap(cap)
    scale = case.constructor.get("query_pre_attn_scalar", 256) ** -0.5
    return grouped(case, projections(case), scale=scale, normalizer=normalizer)


@adapts("hf.GptOssAttention")
def gpt_oss(case):
    plain = projections(case)

    def weights(t):
        return [t["w.sinks"], *plain(t)]

    return grouped(case, weights, normalizer="sinks")


@adapts("hf.Llama4TextAttention")
def llama4(case):
    """Layers without rotation multiply queries by a factor of their place."""
    refuse_options(case, attention_bias=(False,))
    options = case.constructor
    turns = options.get("no_rope_layers", [1] * (options["layer_idx"] + 1))
    turns = bool(turns[options["layer_idx"]])
    norm = None
    if options.get("use_qk_norm", True) and turns:
        # Their norm follows the turn, which keeps lengths: the same numbers.
        norm = norms.RMS(gain=False, epsilon=options.get("rms_norm_eps", 1e-5))
    tuned = options.get("attn_temperature_tuning", True) and not turns

    def query(inputs):
        if not tuned:
            return inputs
        # Rows are counted, whatever their positions are.
        places = ops.arange(inputs.shape[1], dtype="float32") + 1.0
        growth = ops.log1p(ops.floor(places / options.get("floor_scale", 8192)))
        return inputs * (growth * options.get("attn_scale", 0.1) + 1.0)[:, None]

    return grouped(
        case,
        projections(case),
        pairing="interleaved",
        rope=turns,
        query=query,
        query_key_norm=norm,
    )
