"""ProbSparse and hashed attention; what was drawn at random comes with the case."""

import math

from keras import ops

from regard.core.approximate import prob_sparse as core
from regard.layers import LSHAttention
from tests.golden.adapters.approximate import by_heads, projected
from tests.golden.tools import Applied, adapts, linear


def chosen(query, key, sample, count):
    """Places of the queries with the largest measure, (B, H, u)."""
    measure = ops.stop_gradient(core.sparsity(query, key, sample))
    return ops.cast(ops.top_k(measure, count)[1], "int32")


def read(vectors, rows, scale, causal):
    """Contexts, exact weights of the chosen and the whole table."""
    query, key, value = vectors
    length, memory = query.shape[2], key.shape[2]
    exact = core.looked(query, key, rows, scale, causal)
    seen = core.shares(memory, causal, "sum")
    context = core.prob_sparse(value, exact, rows, length, seen, causal)
    return context, exact


@adapts("hf.InformerProbSparseAttention")
def of_transformers(case):
    options = case.constructor
    heads, causal = options["num_heads"], options.get("is_decoder", False)
    width = options["embed_dim"] // heads

    def run(t):
        x = t["in.hidden_states"]
        memory = t.get("in.key_value_states", x)
        query = projected(t, x, "q_proj", heads) * width**-0.5
        key, value = (
            projected(t, memory, name, heads) for name in ("k_proj", "v_proj")
        )
        length = x.shape[1]
        factor = options.get("sampling_factor", 5)
        count = min(factor * math.ceil(math.log1p(length)), length)
        rows = chosen(query, key, t["in.index_sample"], count)
        context, exact = read((query, key, value), rows, 1.0, causal)
        joined = ops.reshape(ops.swapaxes(context, 1, 2), x.shape)
        return {"out.y": linear(t, "w.out_proj", joined), "out.attention": exact}

    return run


@adapts("informer2020.ProbAttention")
def of_informer(case):
    options = case.constructor
    causal = options.get("mask_flag", True)

    def run(t):
        query, key, value = (
            ops.swapaxes(t[f"in.{name}"], 1, 2)
            for name in ("queries", "keys", "values")
        )
        length, width = query.shape[2:]
        count = min(options.get("factor", 5) * math.ceil(math.log(length)), length)
        scale = options.get("scale") or width**-0.5
        rows = chosen(query, key, t["in.index_sample"], count)
        context, exact = read((query, key, value), rows, scale, causal)
        # The package writes equal shares of all values into the table, also where the
        # others read a running sum.
        everyone = core.shares(key.shape[2])
        table = core.table(exact, rows, length, everyone)
        return {"out.y": ops.swapaxes(context, 1, 2), "out.attention": table}

    return run


@adapts("hf.ReformerLSHSelfAttention")
def reformer(case):
    options = case.constructor
    heads, width = options["num_attention_heads"], options["attention_head_size"]
    layer = LSHAttention(
        heads,
        width,
        rounds=options["num_hashes"],
        chunk=options["lsh_attn_chunk_length"],
        before=options.get("lsh_num_chunks_before", 1),
        after=options.get("lsh_num_chunks_after", 0),
        causal=options.get("is_decoder", False),
        output_shape=heads * width,
        seed=0,
    )
    applied = Applied(layer)

    def run(t):
        x, buckets = t["in.hidden_states"], t["in.buckets"]
        rounds = options["num_hashes"]
        buckets = ops.reshape(buckets, (*buckets.shape[:2], rounds, -1))
        kernels = [by_heads(t[f"w.{n}.weight"], heads) for n in ("query_key", "value")]
        joined = ops.reshape(ops.eye(heads * width), (heads, width, -1))
        directions = ops.zeros((width, rounds, 32))
        mask = t.get("in.attention_mask")
        mask = None if mask is None else ops.cast(mask, "bool")
        y = applied([directions, *kernels, joined], x, mask=mask, buckets=buckets)
        return {"out.y": y}

    return run
