"""Attention of models for long inputs: Longformer, LongT5, BigBird, Reformer."""

import numpy as np
from keras import ops

from regard.core.positions import T5Bias
from regard.core.positions.t5 import bucket_of
from regard.core.scopes import Window
from regard.layers import LongformerAttention
from tests.golden.adapters.relative import dense, no_merge
from tests.golden.ready import ReadyHeads
from tests.golden.tools import Applied, adapts, linear, refuse_options


@adapts("hf.LongformerSelfAttention")
def longformer(case):
    """The mask is -10000 where padded, 10000 where global."""
    options = case.constructor
    windows = options["attention_window"]
    window = (
        windows[options.get("layer_id", 0)] if isinstance(windows, list) else windows
    )
    heads, wide = options["num_attention_heads"], options["hidden_size"]
    layer = LongformerAttention(heads, wide // heads, window // 2, global_positions=())
    applied = Applied(layer)
    chosen = case.arrays["in.attention_mask"] > 0
    slots = int(chosen.sum(axis=1).max())

    def run(t):
        names = ("query", "key", "value")
        names = (*names, *(f"{name}_global" for name in names))
        mask = t["in.attention_mask"]
        output, weights = applied(
            [
                *(each for name in names for each in dense(t, f"w.{name}", heads)),
                no_merge(heads, wide // heads),
                ops.zeros((wide,)),
            ],
            t["in.hidden_states"],
            mask=mask >= 0,
            global_mask=mask > 0,
            return_attention_scores=True,
        )
        found = {"out.y": output}
        found["out.attention"] = near_weights(weights, chosen, slots, window // 2)
        if slots:
            found["out.global_attention"] = global_weights(weights, chosen, slots)
        return found

    return run


def columns_of(chosen, slots):
    """The global tokens of every example by slot, and which slots hold one."""
    places = np.zeros((len(chosen), slots), int)
    held = np.zeros((len(chosen), slots), bool)
    for example, row in enumerate(chosen):
        found = np.flatnonzero(row)
        places[example, : len(found)], held[example, : len(found)] = found, True
    return places, held


def near_weights(weights, chosen, slots, reach):
    """(B, H, T, T) as (B, T, H, global keys + window); rows of global tokens are 0."""
    length = chosen.shape[1]
    places = np.arange(length)[:, None] + np.arange(-reach, reach + 1)  # (T, W)
    inside = (places >= 0) & (places < length)
    places = np.clip(places, 0, length - 1)
    seen = inside & ~chosen[:, places]  # (B, T, W)
    rows = ops.transpose(weights, (0, 2, 1, 3))  # (B, T, H, S)
    index = np.broadcast_to(places[None, :, None], (*rows.shape[:3], places.shape[1]))
    near = taken(rows, index) * number(seen[:, :, None])
    if slots:
        columns, held = columns_of(chosen, slots)
        index = np.broadcast_to(columns[:, None, None], (*rows.shape[:3], slots))
        far = taken(rows, index) * number(held[:, None, None])
        near = ops.concatenate([far, near], axis=-1)
    return near * number(~chosen[:, :, None, None])


def global_weights(weights, chosen, slots):
    """(B, H, slots, T); a slot without a token is uniform there."""
    places, held = columns_of(chosen, slots)
    length = chosen.shape[1]
    rows = ops.swapaxes(weights, 2, 3)  # (B, H, S, T)
    index = np.broadcast_to(places[:, None, None], (*rows.shape[:3], slots))
    found = ops.swapaxes(taken(rows, index), 2, 3)
    held = held[:, None, :, None]
    return found * number(held) + number(~held) / length


def number(truth):
    return ops.convert_to_tensor(truth.astype("float32"))


def taken(tensor, index):
    index = ops.convert_to_tensor(np.ascontiguousarray(index), dtype="int32")
    return ops.take_along_axis(tensor, index, axis=-1)


def long_t5(case):
    options = case.constructor
    heads, width = options["num_heads"], options["d_kv"]
    buckets = options.get("relative_attention_num_buckets", 32)
    farthest = options.get("relative_attention_max_distance", 128)
    return heads, width, buckets, farthest


@adapts("hf.LongT5LocalAttention")
def long_t5_local(case):
    heads, width, buckets, farthest = long_t5(case)
    biased = case.constructor.get("has_relative_attention_bias")
    reach = case.constructor["local_radius"]
    ready = ReadyHeads(
        heads,
        width,
        scale=1.0,
        position=T5Bias(buckets, farthest) if biased else None,
        scope=Window(reach, reach),
    )

    def run(t):
        inputs, keep = t["in.hidden_states"], t.get("in.attention_mask")
        keep = None if keep is None else ops.cast(keep, "bool")
        output, _ = ready(
            *(linear(t, f"w.{name}", inputs) for name in "qkv"),
            [t["w.relative_attention_bias.weight"]] if biased else [],
            query_mask=keep,
            value_mask=keep,
        )
        return {"out.y": linear(t, "w.o", output)}

    return run


def block_of(keep, size):
    """The block of every token, those of no whole block in the last; -1 = padding."""
    places = np.arange(keep.shape[1])
    ends = (places % size == size - 1) & keep
    whole = ends.sum(axis=1, keepdims=True)
    return np.where(keep, np.minimum(places // size, whole - 1), -1)


@adapts("hf.LongT5TransientGlobalAttention")
def long_t5_global(case):
    """Sums of blocks join the keys, with a bias of their own."""
    heads, width, *sizes = long_t5(case)
    refuse_options(case, has_relative_attention_bias=(True,))
    reach, size = (case.constructor[n] for n in ("local_radius", "global_block_size"))
    ready = ReadyHeads(heads, width, scale=1.0)
    length = case.arrays["in.hidden_states"].shape[1]
    keep = case.arrays.get("in.attention_mask")
    keep = np.ones((1, length), bool) if keep is None else keep.astype(bool)
    keep = np.broadcast_to(keep, (len(case.arrays["in.hidden_states"]), length))
    blocks = block_of(keep, size)
    count = length // size
    total = blocks.max(axis=1)  # the last block of each example

    def run(t):
        inputs = t["in.hidden_states"]
        inside = (blocks[:, None] == np.arange(count)[:, None]).astype("float32")
        sums = ops.matmul(ops.convert_to_tensor(inside), inputs)
        sums = sums / ops.sqrt(ops.mean(sums**2, axis=-1, keepdims=True) + 1e-6)
        sums = sums * t["w.global_input_layer_norm.weight"]
        memory = ops.concatenate([inputs, sums], axis=1)
        query = linear(t, "w.q", inputs)
        keys, values = (linear(t, f"w.{name}", memory) for name in "kv")
        places = np.arange(length)
        near = np.abs(places[:, None] - places) <= reach
        near = near[None] & keep[:, None] & keep[:, :, None]
        there = np.arange(count) <= total[:, None]
        there = keep[:, :, None] & there[:, None]  # (B, T, blocks)
        offset = np.arange(count)[None, None] - blocks[..., None]
        apart = places - places[:, None]
        bias = [
            looked_up(t["w.relative_attention_bias.weight"], apart, *sizes),
            looked_up(t["w.global_relative_attention_bias.weight"], offset, *sizes),
        ]
        output, _ = ready(
            query,
            keys,
            values,
            attention_mask=np.concatenate([near, there], axis=-1),
            bias=ops.concatenate(
                [ops.broadcast_to(bias[0], (len(keep), *bias[0].shape[1:])), bias[1]],
                axis=-1,
            ),
        )
        return {"out.y": linear(t, "w.o", output)}

    return run


def looked_up(table, offset, buckets, farthest):
    """T5's bias of offsets (T, S) or (B, T, S): (B | 1, H, T, S)."""
    offset = ops.convert_to_tensor(offset, dtype="int32")
    found = ops.take(table, bucket_of(offset, buckets, farthest, True), axis=0)
    found = found if len(found.shape) == 4 else found[None]
    return ops.transpose(found, (0, 3, 1, 2))
