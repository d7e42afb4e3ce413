"""Monotonic alignments: tensorflow-addons, fairseq, MoChA-pytorch."""

from keras import ops

from regard.core.alignments.chunkwise import chunkwise_weights, lookback_weights
from regard.core.alignments.monotonic import (
    ALIGNMENTS,
    expected_alignment,
    with_mass_kept,
)
from regard.layers import MonotonicAttention
from tests.golden.tools import Applied, adapts, named, opposite, refuse_options, within

NAMES = (
    "w.query_layer/kernel",
    "w.memory_layer/kernel",
    "w.attention_v",
    "w.attention_g",
    "w.attention_b",
    "w.attention_score_bias",
)


@adapts("tfa.BahdanauMonotonicAttention", "tfa.LuongMonotonicAttention")
def tfa_mechanism(case):
    options = case.constructor
    refuse_options(case, sigmoid_noise=(0.0, 0))
    additive = case.name.startswith("tfa.Bahdanau")
    normalize = "normalize" if additive else "scale"
    layer = MonotonicAttention(
        options["units"] if additive else None,
        score="additive" if additive else "general",
        mode=options.get("mode", "parallel"),
        normalize=bool(options.get(normalize)),
    )
    layer = Applied(layer)

    def run(t):
        memory, weights = t["in.memory"], named(t, *NAMES)
        if additive and "w.attention_b" not in t:
            weights.insert(3, ops.zeros_like(t["w.attention_v"]))
        context, alignments = layer(
            weights,
            t["in.query"],
            memory,
            value_mask=within(t.get("in.memory_sequence_length"), memory.shape[1]),
            return_attention_scores=True,
        )
        return {"out.context": context, "out.alignments": alignments}

    return run


@adapts("tfa.monotonic_attention")
def tfa_function(case):
    align = ALIGNMENTS[case.constructor["mode"]]

    def run(t):
        return {"out.attention": align(t["in.p_choose_i"], t["in.previous_attention"])}

    return run


def seen(t, shape):
    """True = real, from fairseq's True = padding (B, S) or (B heads, S)."""
    mask = opposite(t.get("in.padding_mask"))
    if mask is None:
        return ops.ones(shape, dtype="bool")
    mask = ops.repeat(mask, shape[0] // mask.shape[0], axis=0)
    return ops.broadcast_to(mask[:, None], shape)


@adapts("fairseq.expected_alignment_from_p_choose")
def fairseq_alignment(case):
    def run(t):
        choose = t["in.p_choose"]
        mask = seen(t, choose.shape)
        choose = ops.where(mask, choose, ops.zeros_like(choose))
        row = ops.one_hot(ops.zeros(choose.shape[:1], "int32"), choose.shape[2])
        rows = []
        for i in range(choose.shape[1]):
            row = expected_alignment(choose[:, i], row)
            rows.append(row)
        return {"out.alpha": ops.stack(rows, axis=1)}

    return run


@adapts("fairseq.expected_soft_attention")
def fairseq_soft(case):
    size = case.call.get("chunk_size", case.constructor.get("chunk_size"))

    def run(t):
        alpha, scores = t["in.alpha"], t["in.soft_energy"]
        mask = seen(t, alpha.shape)
        alpha = ops.where(mask, alpha, ops.zeros_like(alpha))
        if size is None:
            return {"out.beta": lookback_weights(alpha, scores, mask)}
        return {"out.beta": chunkwise_weights(alpha, scores, mask, size)}

    return run


@adapts("fairseq.mass_preservation")
def fairseq_mass(case):
    def run(t):
        alpha = t["in.alpha"]
        mask = seen(t, alpha.shape)
        alpha = ops.where(mask, alpha, ops.zeros_like(alpha))
        return {"out.alpha": with_mass_kept(alpha, mask)}

    return run


@adapts("mocha_pytorch.chunkwise_attention_soft")
def mocha(case):
    size = case.constructor["chunk_size"]

    def run(t):
        alpha = t["in.alpha"]
        mask = ops.ones_like(alpha, dtype="bool")
        return {"out.beta": chunkwise_weights(alpha, t["in.u"], mask, size)}

    return run
