"""keras-multi-head: activations around the attention, heads side by side."""

import keras
from keras import ops

from regard import Causal
from regard.layers import MultiHeadAttention
from tests.golden.tools import Applied, adapts


@adapts("keras_multi_head.MultiHeadAttention")
def multi_head_attention(case):
    options = case.constructor
    heads, biased = options["head_num"], options.get("use_bias", True)
    activation = keras.activations.get(options.get("activation", "relu"))
    width = case.arrays["w.Wo"].shape[0]
    scope = Causal(offset=0) if options.get("history_only") else None
    layer = Applied(
        MultiHeadAttention(heads, width // heads, use_bias=False, scope=scope)
    )

    def projected(t, name, inputs):
        """Before the attention, as an activation stands in between."""
        found = ops.matmul(inputs, t[f"w.W{name}"])
        return activation(found + t[f"w.b{name}"] if biased else found)

    def run(t):
        inputs = [t["in.q"]]
        inputs.append(t.get("in.v", t.get("in.k", inputs[0])))
        inputs.append(t.get("in.k", inputs[0]))
        query, value, key = (
            projected(t, name, each) for name, each in zip("qvk", inputs, strict=True)
        )
        apart = ops.reshape(ops.eye(width), (width, heads, -1))
        output = ops.reshape(t["w.Wo"], (heads, width // heads, -1))
        joined, attention = layer(
            [apart, apart, apart, output],
            query,
            value,
            key,
            value_mask=t.get("in.key_mask", t.get("in.mask")),
            query_positions=ops.arange(query.shape[1], dtype="int32"),
            return_attention_scores=True,
        )
        joined = activation(joined + t["w.bo"] if biased else joined)
        return {"out.y": joined, "out.attention": ops.swapaxes(attention, 1, 2)}

    return run
