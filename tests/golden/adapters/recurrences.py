"""Recurrences of flash-linear-attention and transformers: the scans without a layer."""

from keras import ops

from regard import Window, features
from regard.core.scans import delta_scan, gated_scan
from regard.core.scopes import Causal
from tests.golden.adapters.functional import attended
from tests.golden.tools import adapts

RATIO_EPSILON = 1e-10  # flash-linear-attention adds it to a sum of scores


def turned(tensor):
    """(B, T, H, …) -> (B, H, T, …)."""
    return ops.swapaxes(tensor, 1, 2)


def grouped(tensor, heads):
    """Each head of (B, H, T, D) as often as there are heads of the values."""
    return ops.repeat(tensor, heads // tensor.shape[1], axis=1)


def scaled(case, query):
    scale = case.call.get("scale") or case.constructor.get("scale")
    return query * (query.shape[-1] ** -0.5 if scale is None else scale)


def column(tensor):
    return ops.expand_dims(tensor, -1)


def begun(t):
    """The state before the first position, where there is one."""
    return next((t[name] for name in ("in.initial_state", "in.h0") if name in t), None)


def answer(output, state):
    return {"out.o": output, "out.final_state": state}


@adapts("fla.delta_rule_recurrence")
def delta_rule(case):
    def run(t):
        beta = t["in.beta"]
        beta = beta if len(beta.shape) == 4 else column(beta)
        query = scaled(case, t["in.q"])
        return answer(
            *delta_scan(query, t["in.k"], t["in.v"], beta, state=begun(t), chunk=3)
        )

    return run


@adapts("fla.naive_recurrent_gated_delta_rule", "fla.naive_recurrent_kda")
def gated_delta_rule(case):
    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in "qkv")
        heads = v.shape[1]
        decay = turned(t["in.g"])
        decay = decay if len(decay.shape) == 4 else column(decay)
        output, state = delta_scan(
            grouped(scaled(case, q), heads),
            grouped(k, heads),
            v,
            column(turned(t["in.beta"])),
            decay,
            begun(t),
            chunk=3,
        )
        return answer(turned(output), state)

    return run


@adapts("hf.gated_delta_rule")
def gated_delta_rule_of_qwen(case):
    unit_length = case.call.get("use_qk_l2norm_in_kernel")

    def length_one(vectors):
        squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
        return vectors * ops.rsqrt(squares + 1e-6)

    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in ("query", "key", "value"))
        if unit_length:
            q, k = length_one(q), length_one(k)
        heads = v.shape[1]
        output, state = delta_scan(
            grouped(scaled(case, q), heads),
            grouped(k, heads),
            v,
            column(turned(t["in.beta"])),
            column(turned(t["in.g"])),
            begun(t),
            chunk=case.call.get("chunk_size"),
        )
        return answer(turned(output), state)

    return run


@adapts("fla.naive_recurrent_gla", "fla.naive_recurrent_simple_gla")
def gated_linear_attention(case):
    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in "qkv")
        decay = turned(t["in.gk"]) if "in.gk" in t else column(turned(t["in.g"]))
        output, state = gated_scan(scaled(case, q), k, v, decay, begun(t), chunk=3)
        return answer(turned(output), state)

    return run


@adapts("fla.naive_recurrent_linear_attn")
def linear_attention(case):
    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in "qkv")
        q = scaled(case, q)
        output, state = gated_scan(q, k, v, state=begun(t), chunk=3)
        if case.call.get("normalize"):
            total, _ = gated_scan(q, k, ops.ones_like(v[..., :1]), chunk=3)
            output = output / (total + RATIO_EPSILON)
        return answer(turned(output), state)

    return run


@adapts("fla.naive_retention")
def retention(case):
    def run(t):
        q, k, v = (t[f"in.{name}"] for name in "qkv")
        gamma = [1 - 2.0 ** (-5 - head) for head in range(q.shape[1])]
        decay = ops.log(ops.convert_to_tensor(gamma, dtype="float32"))
        decay = ops.reshape(decay, (1, -1, 1, 1)) * ops.ones_like(q[..., :1])
        return {"out.o": gated_scan(scaled(case, q), k, v, decay, chunk=4)[0]}

    return run


@adapts("fla.naive_parallel_based")
def based(case):
    feature = features.Taylor()

    def run(t):
        q, k, v = (t[f"in.{name}"] for name in "qkv")
        scale = case.call.get("scale")
        if scale is not None:
            q = q * scale * q.shape[-1] ** 0.5
        q, k = feature.query(q), feature.key(k, None)
        output, _ = gated_scan(q, k, v, chunk=3)
        if case.call.get("use_norm", True):
            total, _ = gated_scan(q, k, ops.ones_like(v[..., :1]), chunk=3)
            output = output / (total + 1e-6)
        return {"out.o": output}

    return run


@adapts("fla.naive_recurrent_hgrn")
def hierarchical_gates(case):
    """Every channel is a head whose key, query and value have one number."""

    def run(t):
        value, decay = (column(turned(t[f"in.{name}"])) for name in "xg")
        ones, start = ops.ones_like(value), begun(t)
        start = None if start is None else ops.reshape(start, (*start.shape, 1, 1))
        output, state = gated_scan(ones, ones, value, decay, start, chunk=3)
        return answer(turned(output[..., 0]), state[..., 0, 0])

    return run


@adapts("fla.naive_forgetting_attn")
def forgetting(case):
    """Softmax attention with the sum of log gates between key and query as a bias."""
    window = case.call.get("window_size")
    scope = Causal() if window is None else Window(window - 1)

    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in "qkv")
        sums = ops.cumsum(turned(t["in.g"]), axis=-1)
        bias = ops.expand_dims(sums, -1) - ops.expand_dims(sums, -2)
        output = attended(
            q,
            grouped(k, q.shape[1]),
            grouped(v, q.shape[1]),
            case.call.get("scale"),
            scope,
            bias=bias,
        )
        return {"out.o": turned(output)}

    return run
