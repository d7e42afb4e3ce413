"""Linformer and two Nystromformers."""

from keras import ops

from regard.core.approximate.nystrom import factors, smoothed
from regard.layers import LinformerAttention, MultiHeadAttention, NystromAttention
from tests.golden.tools import Applied, adapts, linear, refuse_options


def by_heads(kernel, heads):
    """``torch.nn.Linear``'s (H*D, in) -> (in, H, D)."""
    kernel = ops.transpose(kernel)
    return ops.reshape(kernel, (kernel.shape[0], heads, -1))


def joining(kernel, heads):
    """``torch.nn.Linear``'s (out, H*D) -> (H, D, out)."""
    kernel = ops.transpose(kernel)
    return ops.reshape(kernel, (heads, -1, kernel.shape[-1]))


@adapts("linformer.LinformerSelfAttention")
def linformer(case):
    """One head of keys is the same head for all, shared values are the keys."""
    options = case.constructor
    heads = options.get("heads", 8)
    width = options.get("dim_head") or options["dim"] // heads
    layer = LinformerAttention(
        heads,
        width,
        rows=options.get("k", 256),
        maximum_length=options["seq_len"],
        share=options.get("share_kv", False),
    )
    applied = Applied(layer)

    def memory(kernel):
        if options.get("one_kv_head"):
            kernel = ops.tile(kernel, (heads, 1))
        return by_heads(kernel, heads)

    def run(t):
        x = t["in.x"]
        key = memory(t["w.to_k.weight"])
        value = memory(t["w.to_v.weight"]) if "w.to_v.weight" in t else key
        rows = [t[name] for name in ("w.proj_k", "w.proj_v") if name in t]
        no_bias = ops.zeros((heads, width))
        output = applied(
            [
                *rows,
                by_heads(t["w.to_q.weight"], heads),
                no_bias,
                key,
                no_bias,
                value,
                no_bias,
                joining(t["w.to_out.weight"], heads),
                t["w.to_out.bias"],
            ],
            x,
            t.get("in.context", x),
        )
        return {"out.y": output}

    return run


@adapts("nystrom_attention.NystromAttention")
def nystrom(case):
    """Fills up with zeros on the left, which a mask hides where there is one."""
    refuse_options(case, dropout=(0.0, 0))
    options = case.constructor
    heads, width = options.get("heads", 8), options.get("dim_head", 64)
    count = options.get("num_landmarks", 256)
    residual = options.get("residual", True)
    layer = NystromAttention(
        heads,
        width,
        landmarks=count,
        iterations=options.get("pinv_iterations", 6),
        convolution=options.get("residual_conv_kernel", 33) if residual else None,
        whole_batch=True,
    )
    applied = Applied(layer)

    def run(t):
        x, mask = t["in.x"], t.get("in.mask")
        length = x.shape[1]
        padding = -length % count
        x = ops.pad(x, [(0, 0), (padding, 0), (0, 0)])
        if mask is not None:
            mask = ops.pad(ops.cast(mask, "int32"), [(0, 0), (padding, 0)]) > 0
        kernels = ops.split(t["w.to_qkv.weight"], 3)
        zero = ops.zeros((heads, width))
        projections = []
        for kernel in kernels:
            projections += [by_heads(kernel, heads), zero]
        smoothing = []
        if residual:
            smoothing = [ops.reshape(t["w.res_conv.weight"], (heads, -1))]
        joined = [joining(t["w.to_out.0.weight"], heads), t["w.to_out.0.bias"]]
        y, attention = applied(
            [*smoothing, *projections, *joined],
            x,
            query_mask=mask,
            value_mask=mask,
            return_attention_scores=True,
        )
        return {"out.y": y[:, -length:], "out.attention": attention}

    return run


@adapts("hf.NystromformerSelfAttention")
def nystromformer(case):
    """With a landmark per position the package computes plain softmax attention."""
    options = case.constructor
    heads = options["num_attention_heads"]
    width = options["hidden_size"] // heads
    count, smooth = options["num_landmarks"], options.get("conv_kernel_size")
    whole = not options.get("inv_coeff_init_option", False)
    exact = count == options["segment_means_seq_len"]
    applied = Applied(
        MultiHeadAttention(heads, width)
        if exact
        else NystromAttention(
            heads, width, landmarks=count, convolution=smooth, whole_batch=whole
        )
    )

    def run(t):
        x = t["in.hidden_states"]
        weights = []
        if not exact and smooth:
            weights.append(ops.reshape(t["w.conv.weight"], (heads, -1)))
        for name in ("query", "key", "value"):
            weights.append(by_heads(t[f"w.{name}.weight"], heads))
            weights.append(ops.reshape(t[f"w.{name}.bias"], (heads, width)))
        joined = ops.reshape(ops.eye(heads * width), (heads, width, -1))
        weights += [joined, ops.zeros((heads * width,))]
        y, attention = applied(weights, x, return_attention_scores=True)
        if exact:
            if smooth:  # the package adds its convolution here too
                value = projected(t, x, "value", heads)
                kernel = ops.reshape(t["w.conv.weight"], (heads, -1))
                found = ops.swapaxes(smoothed(value, kernel), 1, 2)
                y = y + ops.reshape(found, y.shape)
            return {"out.y": y, "out.attention": attention}
        query, key = (projected(t, x, name, heads) for name in ("query", "key"))
        left, middle, _ = factors(query, key, width**-0.5, (count, 6, whole))
        return {"out.y": y, "out.attention": ops.matmul(left, middle)}

    return run


def projected(t, inputs, name, heads):
    """(B, H, T, D) of one of the package's projections."""
    found = linear(t, f"w.{name}", inputs)
    shape = (*inputs.shape[:2], heads, -1)
    return ops.swapaxes(ops.reshape(found, shape), 1, 2)
