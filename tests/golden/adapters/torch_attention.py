"""PyTorch's own attention, as a layer."""

from keras import ops

from regard.layers import MultiHeadAttention, PersistentMemoryAttention
from tests.golden.tools import Applied, adapts, opposite


@adapts("torch.MultiheadAttention")
def multihead_attention(case):
    width, heads = case.constructor["embed_dim"], case.constructor["num_heads"]
    biased = case.constructor.get("bias", True)
    layer = Applied(layer_of(case.constructor, heads, width // heads, biased))
    first = case.constructor.get("batch_first", False)
    averaged = case.call.get("average_attn_weights", True)

    def turn(tensor):
        return tensor if first else ops.swapaxes(tensor, 0, 1)

    def run(t):
        query = t["in.q"]  # alone, it is key and value as well
        key = t.get("in.k", query)
        output, attention = layer(
            [*own_keys(t, heads), *split(t, width, heads, biased)],
            turn(query),
            turn(t.get("in.v", key)),
            turn(key),
            return_attention_scores=True,
            **hiding(t.get("in.key_padding_mask"), t.get("in.attn_mask"), heads),
        )
        if averaged:
            attention = ops.mean(attention, axis=1)
        return {"out.y": turn(output), "out.attention": attention}

    return run


def layer_of(options, heads, width, biased):
    """Keys of its own come last, the zero behind the learned one."""
    learned, zero = (options.get(n, False) for n in ("add_bias_kv", "add_zero_attn"))
    if not (learned or zero):
        return MultiHeadAttention(heads, width, use_bias=biased)
    return PersistentMemoryAttention(
        heads, width, int(learned), add_zero=zero, use_bias=biased
    )


def own_keys(t, heads):
    """The learned key and value (1, 1, E) as (H, 1, width)."""
    names = [name for name in ("w.bias_k", "w.bias_v") if name in t]
    return [ops.reshape(t[name], (heads, 1, -1)) for name in names]


def split(t, width, heads, biased):
    """The stacked projections, one by one, each kernel (in, heads, size)."""
    shape = (-1, heads, width // heads)
    weights = []
    for place, name in enumerate("qkv"):
        rows = slice(place * width, (place + 1) * width)
        kernel = t.get(f"w.{name}_proj_weight")
        kernel = t["w.in_proj_weight"][rows] if kernel is None else kernel
        weights.append(ops.reshape(ops.transpose(kernel), shape))
        if biased:
            weights.append(ops.reshape(t["w.in_proj_bias"][rows], shape[1:]))
    kernel = ops.transpose(t["w.out_proj.weight"])
    weights.append(ops.reshape(kernel, (heads, width // heads, width)))
    return [*weights, t["w.out_proj.bias"]] if biased else weights


def hiding(padding, pairs, heads):
    """True = ignore becomes a mask, floats a bias; (B*H, T, S) gets its heads."""
    if pairs is not None and len(pairs.shape) == 3:
        pairs = ops.reshape(pairs, (-1, heads, *pairs.shape[1:]))
    if padding is not None and not is_boolean(padding):
        padding = padding[:, None, None]
    arguments = {}
    for name, mask in {"value_mask": padding, "attention_mask": pairs}.items():
        if mask is None:
            continue
        if is_boolean(mask):
            arguments[name] = opposite(mask)
        else:
            arguments["bias"] = arguments.get("bias", 0.0) + mask
    return arguments


def is_boolean(mask):
    return "bool" in str(mask.dtype)
