"""tensorflow-addons seq2seq mechanisms without a state."""

from keras import ops

from regard.layers import AdditiveAttention, GeneralAttention
from tests.golden.tools import Applied, adapts, named, within


def aligned(layer, weights):
    """A run over several queries; nothing passes from one to the next."""

    def run(t):
        memory = t["in.memory"]
        context, alignments = layer(
            weights(t),
            t["in.query"],
            memory,
            value_mask=within(t.get("in.memory_sequence_length"), memory.shape[1]),
            return_attention_scores=True,
        )
        return {"out.context": context, "out.alignments": alignments}

    return run


def normalizer(case):
    return case.constructor.get("probability_fn", "softmax")


@adapts("tfa.BahdanauAttention")
def bahdanau(case):
    layer = AdditiveAttention(
        case.constructor["units"],
        normalize=bool(case.constructor.get("normalize")),
        normalizer=normalizer(case),
    )
    names = (
        "w.query_layer/kernel",
        "w.memory_layer/kernel",
        "w.attention_v",
        "w.attention_g",
        "w.attention_b",
    )
    return aligned(Applied(layer), lambda t: named(t, *names))


@adapts("tfa.LuongAttention")
def luong(case):
    """A learned gain times the bilinear form is a bilinear form."""
    layer = Applied(GeneralAttention(normalizer=normalizer(case)))

    def weights(t):
        gain = t.get("w.scale_weight", t.get("w.attention_g", 1.0))
        return [ops.transpose(t["w.memory_layer/kernel"]) * gain]

    return aligned(layer, weights)
