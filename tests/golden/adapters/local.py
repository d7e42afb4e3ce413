"""Attention in blocks and windows: BigBird, Reformer, local-attention, Swin V2."""

import math

import numpy as np
from keras import ops

from regard.core import normalizers, scores
from regard.core.attend import Recipe, Visibility, attend
from regard.core.positions import ContinuousWindowBias, RoPE
from regard.core.scopes import Blocks, Causal, Grid
from regard.layers import ScaledDotAttention
from tests.golden.ready import ReadyHeads, apart, joined
from tests.golden.tools import Applied, adapts, linear, refuse_options


@adapts("hf.BigBirdBlockSparseAttention")
def big_bird(case):
    """Without training all its random blocks are the first, counted once more each."""
    options = case.constructor
    heads, wide = options["num_attention_heads"], options["hidden_size"]
    size, chance = options["block_size"], options.get("num_random_blocks", 3)
    keep = case.arrays["in.attention_mask"].astype(bool)
    length = keep.shape[1]
    count = length // size
    places = np.arange(count)
    layout = np.abs(places[:, None] - places) <= 1
    layout[[0, -1]] = layout[:, [0, -1]] = True
    ready = ReadyHeads(heads, wide // heads, scope=Blocks(layout, size))
    block = np.arange(length) // size
    inner = (block > 0) & (block < count - 1)
    # A padded query there sees no neighbours, unless the ends are among them.
    amid = (block > 1) & (block < count - 2)
    near = (block > 0) & (block < count - 1)
    pairs = ~((~keep & amid)[:, :, None] & near) & keep[:, None]
    first = block == 0
    again = (keep & inner)[:, :, None] & first  # (B, T, S)
    bias = np.where(again, np.log(1.0 + chance), 0.0)[:, None].astype("float32")
    shown = np.where(again, 1.0 / (1.0 + chance), 1.0)
    shown = shown * ~((~keep & inner)[:, :, None] & first)
    shown = shown[:, None].astype("float32")

    def run(t):
        inputs = t["in.hidden_states"]
        parts = (linear(t, f"w.{n}", inputs) for n in ("query", "key", "value"))
        output, weights = ready(
            *parts, attention_mask=pairs, bias=ops.convert_to_tensor(bias)
        )
        real = ops.convert_to_tensor(keep[..., None].astype("float32"))
        shown_there = weights * ops.convert_to_tensor(shown)
        return {"out.y": output * real, "out.attention": shown_there}

    return run


@adapts("hf.ReformerLocalSelfAttention")
def reformer_local(case):
    """Chunks see their neighbours around the ends: a chunk met twice counts twice."""
    options = case.constructor
    heads, width = options["num_attention_heads"], options["attention_head_size"]
    length = case.arrays["in.hidden_states"].shape[1]
    size = options.get("local_attn_chunk_length") or length
    whole = length <= size
    size = length if whole else size
    before = 0 if whole else options.get("local_num_chunks_before", 1)
    after = 0 if whole else options.get("local_num_chunks_after", 0)
    count = length // size
    steps = np.arange(-before, after + 1)
    chunks = (np.arange(count)[:, None] + steps) % count  # (chunks, N)
    times = (np.arange(count)[:, None, None] == chunks[None]).sum(-1).T
    times = times.repeat(size, 0).repeat(size, 1)  # (T, S)
    bias = np.log(np.maximum(times, 1)).astype("float32")[None, None]
    scope = Causal() if options.get("is_decoder") else None
    ready = ReadyHeads(heads, width, scope=scope)
    keys = chunks[..., None] * size + np.arange(size)  # (chunks, N, size)
    keys = keys.reshape(count, -1).repeat(size, 0)  # (T, N·size)

    def run(t):
        inputs, keep = t["in.hidden_states"], t.get("in.attention_mask")
        output, weights = ready(
            *(linear(t, f"w.{n}", inputs) for n in ("query", "key", "value")),
            attention_mask=times > 0,
            value_mask=None if keep is None else ops.cast(keep, "bool"),
            bias=ops.convert_to_tensor(bias),
        )
        shares = weights / ops.convert_to_tensor(np.maximum(times, 1).astype("float32"))
        if not whole:
            index = np.broadcast_to(keys, (*shares.shape[:2], *keys.shape))
            index = ops.convert_to_tensor(np.ascontiguousarray(index), dtype="int32")
            shares = ops.take_along_axis(shares, index, axis=-1)
            shape = (*shares.shape[:2], count, size, keys.shape[1])
            shares = ops.reshape(shares, shape)
        return {"out.y": output, "out.attention": shares}

    return run


@adapts("local_attention.LocalAttention")
def local_attention(case):
    options = case.constructor
    refuse_options(case, use_xpos=(False,), exact_windowsize=(False, True))
    size, causal = options["window_size"], bool(options.get("causal"))
    back = options.get("look_backward", 1)
    ahead = options.get("look_forward")
    ahead = (0 if causal else 1) if ahead is None else ahead
    length, width = case.arrays["in.q"].shape[-2:]
    extra = -length % size if options.get("autopad") else 0
    places = np.arange(length + extra)
    blocks = places // size
    apart_by = blocks[:, None] - blocks
    seen = (apart_by <= back) & (apart_by >= -ahead)
    if causal:
        seen &= places[:, None] >= places
        if options.get("exact_windowsize"):
            seen &= places[:, None] - places <= size * back
    rotates = options.get("use_rotary_pos_emb", True) and options.get("dim")
    rope = RoPE() if rotates else None
    layer = Applied(ScaledDotAttention(position=rope))
    own = np.eye(length + extra, dtype="float32") * -5e4
    bias = ops.convert_to_tensor(own[None, None]) if options.get("shared_qk") else None
    scale = options.get("scale")

    def run(t):
        shape = t["in.q"].shape
        flat = (ops.reshape(t[f"in.{n}"], (-1, length, width)) for n in "qkv")
        behind = ((0, 0), (0, extra), (0, 0))
        query, key, value = (ops.pad(each, behind) for each in flat)
        if options.get("shared_qk"):
            key = scores.unit(key)
        if scale is not None:
            query = query * (scale * width**0.5)
        hiding = {}
        if "in.mask" in t:
            keep = ops.cast(t["in.mask"], "bool")
            keep = ops.pad(keep, ((0, 0), (0, extra)), constant_values=False)
            keep = ops.repeat(keep, query.shape[0] // keep.shape[0], axis=0)
            hiding = {"value_mask": keep}
        output = layer(
            [],
            query,
            value,
            key,
            attention_mask=seen,
            bias=bias,
            # Its rotations count from the last block that is looked at.
            query_positions=ops.convert_to_tensor(places + ahead * size, dtype="int32"),
            key_positions=ops.convert_to_tensor(places, dtype="int32"),
            **hiding,
        )
        return {"out.y": ops.reshape(output[:, :length], shape)}

    return run


@adapts("hf.Swinv2SelfAttention")
def swin_v2(case):
    """Cosines times a learned factor per head, and the continuous bias."""
    options = case.constructor
    heads = options["num_heads"]
    size = options["window_size"]
    trained = options.get("pretrained_window_size") or [0, 0]
    trained = trained if hasattr(trained, "__len__") else [trained, trained]
    units = case.arrays["w.continuous_position_bias_mlp.0.weight"].shape[0]
    scheme = ContinuousWindowBias(size, trained if trained[0] > 0 else None, units)
    mlp = "w.continuous_position_bias_mlp"

    def run(t):
        inputs = t["in.hidden_states"]
        query, key, value = (
            apart(linear(t, f"w.{n}", inputs), heads) for n in ("query", "key", "value")
        )
        sharp = ops.exp(ops.minimum(t["w.logit_scale"], math.log(100.0)))
        recipe = Recipe(
            scores.cosine,
            normalizers.get("softmax"),
            (sharp[None],),
            position=scheme,
            position_parameters=(
                ops.transpose(t[f"{mlp}.0.weight"]),
                t[f"{mlp}.0.bias"],
                ops.transpose(t[f"{mlp}.2.weight"]),
            ),
        )
        length = inputs.shape[1]
        mask = t.get("in.attention_mask")
        if mask is not None:  # (windows, T, T), added twice there
            windows = inputs.shape[0] // mask.shape[0]
            mask = 2.0 * ops.tile(mask, (windows, 1, 1))[:, None]
        found = attend(
            query,
            key,
            value,
            recipe,
            Visibility(grid=Grid.of(length, length)),
            mask,
            want=("weights",),
        )
        return {"out.y": joined(found["context"]), "out.attention": found["weights"]}

    return run
