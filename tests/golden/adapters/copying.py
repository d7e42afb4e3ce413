"""Layers that write words and copy them: OpenNMT-py, pointer_summarizer."""

from keras import ops

from regard.layers import AdditiveAttention, PointerGenerator
from tests.golden.tools import Applied, adapts, linear


@adapts("opennmt.CopyGenerator")
def copy_generator(case):
    """Steps come first; the copied block comes back with the batch first.

    The source map sends each place to a word beyond the vocabulary. Its gate is the
    share that is copied, so ours has the opposite sign.
    """
    size = case.constructor["output_size"]
    batch, _, extra = case.arrays["in.src_map"].shape
    pad = case.constructor["pad_idx"]
    layer = Applied(PointerGenerator(size, extra_size=extra, forbidden=(pad,)))

    def batches(tensor):
        """Rows of steps and batch -> (B, steps, ·)."""
        return ops.swapaxes(ops.reshape(tensor, (-1, batch, tensor.shape[-1])), 0, 1)

    def run(t):
        places = ops.cast(ops.argmax(t["in.src_map"], axis=-1), "int32") + size
        known = ops.sum(t["in.src_map"], axis=-1) > 0
        words = layer(
            [
                ops.transpose(t["w.linear.weight"]),
                t["w.linear.bias"],
                -ops.transpose(t["w.linear_copy.weight"]),
                -t["w.linear_copy.bias"],
            ],
            batches(t["in.hidden"]),
            batches(t["in.attn"]),
            ops.where(known, places, -1),
        )
        written = ops.reshape(ops.swapaxes(words[..., :size], 0, 1), (-1, size))
        copied = ops.reshape(words[..., size:], (-1, extra))
        return {"out.p": ops.concatenate([written, copied], axis=-1)}

    return run


@adapts("pointer_summarizer.Decoder")
def summarizer_decoder(case):
    """One step; the first one at inference attends twice and counts the first look."""
    covering = bool(case.constructor.get("is_coverage"))
    copying = bool(case.constructor.get("pointer_gen", True))
    size = case.constructor["vocab_size"]
    width = case.arrays["w.attention_network.v.weight"].shape[1]
    extra = case.arrays["out.final_dist"].shape[-1] - size
    attention = Applied(AdditiveAttention(width, use_bias=True))
    words = Applied(PointerGenerator(size, extra_size=extra))
    training = bool(case.call.get("training", False))
    first = case.call.get("step", 1) == 0 and not training

    def look(t, hidden, coverage):
        memory, name = t["in.encoder_outputs"], "w.attention_network"
        keys = ops.reshape(t["in.encoder_feature"], (*memory.shape[:2], width))
        if covering:
            keys = keys + linear(t, f"{name}.W_c", coverage[..., None])
        context, weights = attention(
            [
                ops.transpose(t[f"{name}.decode_proj.weight"]),
                ops.eye(width),
                t[f"{name}.v.weight"][0],
                t[f"{name}.decode_proj.bias"],
            ],
            hidden[:, None],
            memory,
            keys,
            value_mask=t["in.enc_padding_mask"] > 0,
            return_attention_scores=True,
        )
        after = coverage + weights[:, 0] if covering else coverage
        return context[:, 0], weights, after

    def run(t):
        h, c, coverage = t["in.h"][0], t["in.c"][0], t.get("in.coverage")
        if first:
            before = ops.concatenate([h, c], axis=-1)
            coverage = look(t, before, coverage)[2]
        word = ops.take(t["w.embedding.weight"], t["in.y_t_1"], axis=0)
        x = linear(t, "w.x_context", ops.concatenate([t["in.c_t_1"], word], axis=-1))
        h, c = lstm(t, x, h, c)
        hidden = ops.concatenate([h, c], axis=-1)
        context, weights, after = look(t, hidden, coverage)
        query = linear(t, "w.out1", ops.concatenate([h, context], axis=-1))
        found = {
            "out.h_next": h[None],
            "out.c_next": c[None],
            "out.context": context,
            "out.attention": weights[:, 0],
            "out.coverage": coverage if first else after,
        }
        if not copying:
            written = ops.softmax(linear(t, "w.out2", query))
            return {**found, "out.final_dist": written}
        final, gate = words(
            [
                ops.transpose(t["w.out2.weight"]),
                t["w.out2.bias"],
                ops.transpose(t["w.p_gen_linear.weight"]),
                t["w.p_gen_linear.bias"],
            ],
            query[:, None],
            weights,
            t["in.enc_batch_extend_vocab"],
            gate_query=ops.concatenate([context, hidden, x], axis=-1)[:, None],
            return_gate=True,
        )
        return {**found, "out.final_dist": final[:, 0], "out.p_gen": gate[:, 0]}

    return run


def lstm(t, inputs, hidden, carry):
    """``torch.nn.LSTM``, one step: input, forget, cell, output."""
    total = ops.matmul(inputs, ops.transpose(t["w.lstm.weight_ih_l0"]))
    total = total + ops.matmul(hidden, ops.transpose(t["w.lstm.weight_hh_l0"]))
    total = total + t["w.lstm.bias_ih_l0"] + t["w.lstm.bias_hh_l0"]
    enter, forget, new, leave = ops.split(total, 4, axis=-1)
    carry = ops.sigmoid(forget) * carry + ops.sigmoid(enter) * ops.tanh(new)
    return ops.sigmoid(leave) * ops.tanh(carry), carry
