"""Attention-free transformers of two packages."""

from keras import ops

from regard.core.attention_free import attention_free
from regard.layers import AttentionFree
from tests.golden.tools import Applied, adapts, within


@adapts("external_attention_pytorch.AFT_FULL")
def full(case):
    width = case.constructor["d_model"]
    length = case.constructor.get("n", 49)
    applied = Applied(AttentionFree(width, maximum_length=length))

    def run(t):
        projections = []
        for name in "qkv":
            projections.append(ops.transpose(t[f"w.fc_{name}.weight"])[:, None])
            projections.append(t[f"w.fc_{name}.bias"][None])
        same = [ops.eye(width)[None], ops.zeros((width,))]
        weights = [t["w.position_biases"], *projections, *same]
        return {"out.y": applied(weights, t["in.x"])}

    return run


@adapts("fast_transformers.AFTFullAttention", "fast_transformers.AFTSimpleAttention")
def of_fast_transformers(case):
    """The package leaves projections to others and treats heads as features."""

    def run(t):
        q, k, v = (
            ops.swapaxes(t[f"in.{name}"], 1, 2)
            for name in ("queries", "keys", "values")
        )
        length, memory = q.shape[2], k.shape[2]
        bias = ops.zeros((length, memory))
        if "w.u" in t:
            bias = ops.matmul(t["w.u"][:length], ops.transpose(t["w.v"][:memory]))
        elif "w.w" in t:
            bias = t["w.w"][:length, :memory]
        if case.call.get("causal"):
            past = ops.tril(ops.ones_like(bias)) > 0
            bias = ops.where(past, bias, -1e30 + 0.0 * bias)
        keep = within(t.get("in.key_lengths"), memory)
        context = ops.sigmoid(q) * attention_free(k, v, bias, keep)
        return {"out.y": ops.swapaxes(context, 1, 2)}

    return run
