"""Attention of PyTorch translators: joeynmt, fairseq, OpenNMT-py."""

from keras import ops

from regard.layers import AdditiveAttention, DotAttention, GeneralAttention
from tests.golden.tools import Applied, adapts, linear, opposite, refuse_options, within


@adapts("joeynmt.BahdanauAttention")
def joey_bahdanau(case):
    layer = Applied(AdditiveAttention(case.constructor["hidden_size"]))

    def weights(t):
        return [
            ops.transpose(t["w.query_layer.weight"]),
            ops.transpose(t["w.key_layer.weight"]),
            t["w.energy_layer.weight"][0],
        ]

    return joey(layer, weights)


@adapts("joeynmt.LuongAttention")
def joey_luong(case):
    return joey(Applied(GeneralAttention()), lambda t: [t["w.key_layer.weight"]])


def joey(layer, weights):
    def run(t):
        context, attention = layer(
            weights(t),
            t["in.query"],
            t["in.values"],
            attention_mask=t.get("in.mask"),
            return_attention_scores=True,
        )
        return {"out.context": context, "out.attention": attention}

    return run


@adapts("fairseq.AttentionLayer")
def fairseq(case):
    """Time comes first, and the mask says what to ignore."""
    biased = "w.input_proj.bias" in case.arrays
    layer = Applied(DotAttention() if biased else GeneralAttention())

    def run(t):
        memory = ops.swapaxes(t["in.source_hids"], 0, 1)
        padding = t.get("in.encoder_padding_mask")
        weights, query = [ops.transpose(t["w.input_proj.weight"])], t["in.input"]
        if biased:
            weights, query = [], linear(t, "w.input_proj", query)
        context, attention = layer(
            weights,
            query[:, None],
            memory,
            value_mask=None if padding is None else opposite(ops.transpose(padding)),
            return_attention_scores=True,
        )
        joined = ops.concatenate([context[:, 0], t["in.input"]], axis=-1)
        return {
            "out.y": ops.tanh(linear(t, "w.output_proj", joined)),
            "out.attention": ops.transpose(attention[:, 0]),
        }

    return run


@adapts("opennmt.GlobalAttention")
def global_attention(case):
    refuse_options(case, attn_func=("softmax", "sparsemax"))
    kind = case.constructor.get("attn_type", "dot")
    normalizer = case.constructor.get("attn_func", "softmax")
    layer, weights = opennmt_score(kind, case.constructor["dim"], normalizer)

    def run(t):
        memory = t["in.enc_out"]
        if "in.coverage" in t:
            covered = linear(t, "w.linear_cover", t["in.coverage"][..., None])
            memory = ops.tanh(memory + covered)
        context, attention = layer(
            weights(t),
            t["in.src"],
            memory,
            value_mask=within(t.get("in.src_len"), memory.shape[1]),
            return_attention_scores=True,
        )
        joined = ops.concatenate([context, t["in.src"]], axis=-1)
        output = linear(t, "w.linear_out", joined)
        output = output if kind == "mlp" else ops.tanh(output)
        return {"out.y": output, "out.attention": attention}

    return run


def opennmt_score(kind, width, normalizer):
    """The layer of one score, and where its weights come from."""
    if kind == "dot":
        return Applied(DotAttention(normalizer=normalizer)), lambda t: []
    if kind == "general":
        layer = Applied(GeneralAttention(normalizer=normalizer))
        return layer, lambda t: [ops.transpose(t["w.linear_in.weight"])]
    layer = Applied(AdditiveAttention(width, use_bias=True, normalizer=normalizer))
    return layer, lambda t: [
        ops.transpose(t["w.linear_query.weight"]),
        ops.transpose(t["w.linear_context.weight"]),
        t["w.v.weight"][0],
        t["w.linear_query.bias"],
    ]
