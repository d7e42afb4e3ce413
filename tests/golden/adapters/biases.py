"""Biases by distance: T5, Bloom, MPT, Keras Hub's ALiBi, and local windows."""

import math

from keras import ops

from regard.core.positions import ALiBi, T5Bias
from regard.core.positions.alibi import slopes
from regard.core.scopes import Causal, Grid, Window
from regard.layers import MultiHeadAttention
from tests.golden.adapters.relative import kernel, out_dense
from tests.golden.ready import ReadyHeads
from tests.golden.tools import Applied, adapts, linear, refuse_options


def t5_run(case, layer, names, scheme, hidden):
    """T5 does not divide by the root of the width: queries grow by it."""
    heads, width = layer.num_heads, layer.key_dim
    applied = Applied(layer)

    def run(t):
        table = [t[names["table"]]] if scheme else []
        query, key, value, output = projections(t, names, heads)
        inputs = t[f"in.{hidden}"]
        memory = t.get("in.key_value_states", inputs)
        keep = t.get("in.keep", t.get("in.mask"))
        answer, weights = applied(
            [*table, query * width**0.5, key, value, output],
            inputs,
            memory,
            attention_mask=None if keep is None else ops.cast(keep, "bool"),
            return_attention_scores=True,
        )
        bias = position_bias(scheme, table, inputs, memory, heads)
        if hidden == "x" and keep is not None:  # Keras Hub adds the mask to it
            hiding = ops.where(ops.cast(keep, "bool"), 0.0, -1e9)
            bias = bias + (hiding[:, None] if len(hiding.shape) == 3 else hiding)
        return {"out.y": answer, "out.attention": weights, "out.position_bias": bias}

    return run


def projections(t, names, heads):
    """Keras' kernels, from torch matrices or from Keras' own."""
    found = []
    for part in ("query", "key", "value"):
        matrix = t[names[part]]
        if names[part].endswith("kernel"):
            found.append(ops.reshape(matrix, (matrix.shape[0], heads, -1)))
        else:
            found.append(kernel(matrix, heads))
    matrix = t[names["output"]]
    if not names["output"].endswith("kernel"):
        matrix = ops.transpose(matrix)
    return [*found, ops.reshape(matrix, (heads, -1, matrix.shape[1]))]


def position_bias(scheme, table, inputs, memory, heads):
    length, keys = inputs.shape[1], memory.shape[1]
    if not scheme:
        return ops.zeros((1, heads, length, keys))
    return scheme.bias(inputs, memory, Grid.of(length, keys), *table)


@adapts("hf.T5Attention")
def t5(case):
    options = case.constructor
    scheme = None
    if options.get("has_relative_attention_bias"):
        scheme = T5Bias(
            options.get("relative_attention_num_buckets", 32),
            options.get("relative_attention_max_distance", 128),
            bidirectional=not options.get("is_decoder"),
        )
    heads, width = options["num_heads"], options["d_kv"]
    layer = MultiHeadAttention(heads, width, use_bias=False, position=scheme)
    letters = {"query": "q", "key": "k", "value": "v", "output": "o"}
    names = {part: f"w.{letter}.weight" for part, letter in letters.items()}
    names["table"] = "w.relative_attention_bias.weight"
    return t5_run(case, layer, names, scheme, "hidden_states")


@adapts("keras_hub.T5MultiHeadAttention")
def keras_hub_t5(case):
    options = case.constructor
    scheme = None
    if options.get("use_relative_attention_bias"):
        scheme = T5Bias(32, 128, bidirectional=not options["is_decoder"])
    heads, width = options["num_heads"], options["key_value_dim"]
    layer = MultiHeadAttention(heads, width, use_bias=False, position=scheme)
    parts = ("query", "key", "value", "output")
    names = {part: f"w.{part}_projector/kernel" for part in parts}
    names["table"] = "w.embeddings"
    return t5_run(case, layer, names, scheme, "x")


@adapts("hf.BloomAttention")
def bloom(case):
    """One matrix of rows (head, query | key | value, width)."""
    options = case.constructor
    heads, wide = options["n_head"], options["hidden_size"]
    scheme = ALiBi()
    layer = MultiHeadAttention(heads, wide // heads, scope=Causal(0), position=scheme)
    applied = Applied(layer)

    def run(t):
        inputs = t["in.hidden_states"]
        keep = ops.cast(t["in.attention_mask"], "int32")
        places = (ops.cumsum(keep, axis=-1) - 1) * keep
        matrix = ops.reshape(
            t["w.query_key_value.weight"], (heads, 3, wide // heads, wide)
        )
        offset = ops.reshape(t["w.query_key_value.bias"], (heads, 3, -1))
        inward = [
            each
            for part in range(3)
            for each in (ops.transpose(matrix[:, part], (2, 0, 1)), offset[:, part])
        ]
        output, weights = applied(
            [*inward, *out_dense(t, "w.dense", heads)],
            inputs,
            value_mask=ops.cast(keep, "bool"),
            # All as from behind the last key: rows differ by a constant from theirs.
            query_positions=ops.full_like(places, inputs.shape[1]),
            key_positions=places,
            return_attention_scores=True,
        )
        start = ops.zeros((inputs.shape[0], 1), dtype="int32")
        one = ops.zeros((1, heads, 1, 1))
        grid = Grid.of(1, inputs.shape[1], start, places)
        return {
            "out.y": output + t.get("in.residual", 0.0),
            "out.attention": weights,
            "out.alibi": -scheme.bias(one, one, grid),
        }

    return run


@adapts("hf.MptAttention")
def mpt(case):
    options = case.constructor
    attention = options.get("attn_config") or {}
    heads, wide = options["n_heads"], options["d_model"]
    scheme = ALiBi(slopes=mpt_slopes(heads, options.get("alibi_bias_max", 8)))
    scale = attention.get("softmax_scale")
    ready = ReadyHeads(heads, wide // heads, scale, position=scheme, scope=Causal())

    def run(t):
        mixed = linear(t, "w.Wqkv", t["in.hidden_states"])
        if attention.get("clip_qkv"):
            mixed = ops.clip(mixed, -attention["clip_qkv"], attention["clip_qkv"])
        output, weights = ready(*ops.split(mixed, 3, axis=-1))
        return {"out.y": linear(t, "w.out_proj", output), "out.attention": weights}

    return run


def mpt_slopes(heads, exponent):
    """Those of the next larger power of two, the odd ones first."""
    power = 2 ** math.ceil(math.log2(heads))
    found = slopes(power, exponent)
    return found if power == heads else (found[1::2] + found[::2])[:heads]


@adapts("keras_hub.AlibiBias")
def keras_hub_alibi(case):
    """One row for all queries: that of a query at the last key."""
    scheme = ALiBi(exponent=case.constructor.get("alibi_bias_max", 8))

    def run(t):
        scores = t["in.attention_scores"]
        keys = scores.shape[-1]
        one = ops.zeros((1, scores.shape[1], 1, 1))
        return {"out.scores": scores + scheme.bias(one, one, Grid.of(1, keys))}

    return run


@adapts("hf.GPTNeoSelfAttention")
def gpt_neo(case):
    options = case.constructor
    refuse_options(case, attention_type=("local", "global"))
    local = options.get("attention_type") == "local"
    scope = Window(options.get("window_size", 256) - 1) if local else Causal()
    heads, wide = options["num_heads"], options["hidden_size"]
    ready = ReadyHeads(heads, wide // heads, scale=1.0, scope=scope)

    def run(t):
        inputs = t["in.hidden_states"]
        projected = (linear(t, f"w.{name}_proj", inputs) for name in "qkv")
        keep = t.get("in.attention_mask")
        keep = None if keep is None else ops.cast(keep, "bool")
        output, weights = ready(*projected, value_mask=keep)
        return {"out.y": linear(t, "w.out_proj", output), "out.attention": weights}

    return run
