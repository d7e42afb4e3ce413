"""Pointers into the input: PointerNet, pointer_summarizer's attention."""

from keras import ops

from regard.layers import AdditiveAttention
from tests.golden.tools import Applied, adapts, linear, opposite


@adapts("pointer_net.Attention")
def pointer_net(case):
    """The context is mixed from the projected keys."""
    layer = Applied(AdditiveAttention(case.arrays["w.V"].shape[0], use_bias=True))

    def run(t):
        kernel = ops.transpose(t["w.context_linear.weight"][..., 0])
        bias = t["w.context_linear.bias"]
        context = t["in.context"]
        hidden, alpha = layer(
            [
                ops.transpose(t["w.input_linear.weight"]),
                kernel,
                t["w.V"],
                t["w.input_linear.bias"] + bias,
            ],
            t["in.input"][:, None],
            ops.matmul(context, kernel) + bias,
            context,
            value_mask=opposite(t.get("in.mask")),
            return_attention_scores=True,
        )
        return {"out.hidden_state": hidden[:, 0], "out.alpha": alpha[:, 0]}

    return run


@adapts("pointer_summarizer.Attention")
def summarizer(case):
    """Keys come projected; coverage adds to them."""
    covering = bool(case.constructor.get("is_coverage"))
    width = case.arrays["w.v.weight"].shape[1]
    layer = Applied(AdditiveAttention(width, use_bias=True))

    def run(t):
        memory = t["in.encoder_outputs"]
        keys = ops.reshape(t["in.encoder_feature"], (*memory.shape[:2], width))
        coverage = t["in.coverage"]
        if covering:
            keys = keys + linear(t, "w.W_c", coverage[..., None])
        context, attention = layer(
            [
                ops.transpose(t["w.decode_proj.weight"]),
                ops.eye(width),
                t["w.v.weight"][0],
                t["w.decode_proj.bias"],
            ],
            t["in.s_t_hat"][:, None],
            memory,
            keys,
            value_mask=t["in.enc_padding_mask"] > 0,
            return_attention_scores=True,
        )
        attention = attention[:, 0]
        return {
            "out.context": context[:, 0],
            "out.attention": attention,
            "out.coverage": coverage + attention if covering else coverage,
        }

    return run
