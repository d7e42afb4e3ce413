"""x-transformers' attention: options of one class as layers of ours.

Its projections have no bias; its keys of its own come first, ours last.
"""

import re

from keras import ops

from regard import normalizers, norms
from regard.core.positions import ALiBi, Linear, RoPE, T5Bias
from regard.layers import (
    GroupedQueryAttention,
    PersistentMemoryAttention,
    TalkingHeadsAttention,
)
from tests.golden.adapters.relative import kernel, out_dense
from tests.golden.adapters.x_transformers_options import Options
from tests.golden.tools import Applied, adapts


@adapts("x_transformers.Attention")
def attention(case):
    options = Options.of(case)
    place = position(case, options)
    layer = Applied(made(options, place=place))
    # Without the mix after softmax the weights are those that the package shows.
    shown = Applied(made(options, place=place)) if options.mixes_after else layer
    arguments = called(case, options)

    def run(t):
        inputs, weights = t["in.x"], weights_of(t, options)
        context = t.get("in.context", inputs)
        given = arguments(t)
        output, maps = layer(
            weights, inputs, context, **given, return_attention_scores=True
        )
        if options.mixes_after:
            plain = {**t, AFTER: ops.eye(options.heads)[:, :, None, None]}
            plain = weights_of(plain, options)
            _, maps = shown(
                plain, inputs, context, **given, return_attention_scores=True
            )
        if options.glu:
            left, right = ops.split(output, 2, axis=-1)
            output = left * ops.sigmoid(right)
        if "in.mask" in t:
            output = ops.where(ops.cast(t["in.mask"], "bool")[..., None], output, 0.0)
        return {"out.y": output, "out.attention": in_their_order(maps, options)}

    return run


AFTER = "w.attn.attend.post_softmax_talking_heads.weight"
BEFORE = "w.attn.attend.pre_softmax_talking_heads.weight"


def made(options, place):
    """The layer that has these options."""
    common = {
        "num_key_value_heads": options.groups,
        "head_order": "tile",
        "value_dim": options.value_width,
        "use_bias": options.head_gate,
        "use_gate": options.gated,
        "output_shape": options.output_width,
        "normalizer": normalizer(options),
        "query_key_norm": norm(options),
        "scale": options.scale,
        "position": place,
    }
    if options.mixes_before or options.mixes_after:
        mixes = {
            "mix_scores": options.mixes_before,
            "mix_weights": options.mixes_after,
        }
        return TalkingHeadsAttention(options.heads, options.width, **mixes, **common)
    if options.memory or options.zero:
        memory = {"memory_size": options.memory, "add_zero": options.zero}
        return PersistentMemoryAttention(
            options.heads, options.width, **memory, **common
        )
    return GroupedQueryAttention(options.width, options.heads, **common)


def normalizer(options):
    inner = "softmax"
    if options.given("sigmoid"):
        inner = normalizers.Sigmoid(0.0)
    elif options.given("hard"):
        inner = normalizers.Hardmax(straight_through=True)
    elif options.given("sparse_topk"):
        inner = normalizers.TopK(options.given("sparse_topk"))
    elif options.sink:
        inner = "sinks"
    if options.given("softclamp_logits"):
        cap = options.given("logit_softclamp_value")
        return normalizers.SoftCap(50.0 if cap is None else cap, inner)
    return inner


def norm(options):
    if options.learned_lengths or options.given("qk_rmsnorm"):
        return norms.RMS(per_head=True, epsilon=1e-12)
    if options.given("qk_norm"):
        return norms.Unit(options.sharpness, learn=False)
    return None


def position(case, options):
    """The module beside the layer, by its words."""
    words = case.call.get("position") or ""
    if words.startswith("AlibiPositionalBias"):
        return ALiBi()
    if words.startswith("RotaryEmbedding"):
        width = re.search(r"\((?:dim=)?(\d+)", words)
        squeezed = re.search(r"interpolation_factor=([\d.]+)", words)
        base = re.search(r"base=([\d.]+)", words)
        return RoPE(
            float(base.group(1)) if base else 10000.0,
            "interleaved",
            width=int(width.group(1)),
            scaling=Linear(float(squeezed.group(1))) if squeezed else None,
        )
    if words.startswith("RelativePositionBias"):
        found = dict(re.findall(r"(\w+)=(\w+)", words))
        both = found.get("causal", str(options.causal)) != "True"
        buckets = int(found.get("num_buckets", 32))
        return T5Bias(buckets, int(found.get("max_distance", 128)), both)
    if words not in ("", "context"):
        raise NotImplementedError(f"position={words!r} has no adapter")
    return None


def called(case, options):
    """Masks and biases of a call."""

    def arguments(t):
        keep = t.get("in.context_mask", None if "in.context" in t else t.get("in.mask"))
        found = {"value_mask": keep, "use_causal_mask": options.causal}
        pairs = t.get("in.attn_mask")
        if pairs is not None:
            pairs = pairs[None] if len(pairs.shape) == 3 else pairs
            if len(pairs.shape) == 4:
                full = (t["in.x"].shape[0], options.heads, *pairs.shape[2:])
                pairs = ops.broadcast_to(pairs, full)
            found["attention_mask"] = pairs
        past = options.given("max_attend_past")
        if past is not None:
            count, start = t["in.x"].shape[1], 0
            memory = t.get("in.context", t["in.x"]).shape[1]
            start = memory - count
            rows = ops.arange(start, start + count, dtype="int32")[:, None]
            near = rows - ops.arange(memory, dtype="int32")[None] <= past
            before = found.get("attention_mask")
            found["attention_mask"] = (
                near if before is None else ops.logical_and(near, before)
            )
        found["bias"] = bias(t, options)
        return found

    return arguments


def bias(t, options):
    """What is computed from the input and added to the scores."""
    if options.given("data_dependent_alibi"):
        return forgetting(t, options)
    if options.given("use_cope"):
        return contextual(t, options)
    return None


def forgetting(t, options):
    """Sums of log forget gates between a key and a query (B, H, T, T)."""
    name = "w.attn.data_dependent_alibi.to_forget_gates.0"
    gates = ops.matmul(t["in.x"], ops.transpose(t[f"{name}.weight"]))
    gates = ops.log_sigmoid(gates + t[f"{name}.bias"])
    gates = gates * options.gate_scale
    sums = ops.cumsum(ops.swapaxes(gates, 1, 2), axis=-1)  # (B, H or 2H, T)
    if options.causal:
        return sums[..., :, None] - sums[..., None, :]
    ahead, back = sums[:, : options.heads], sums[:, options.heads :]
    ahead = ahead[..., :, None] - ahead[..., None, :]
    back = back[..., None, :] - back[..., :, None]
    return ops.tril(ahead) + ops.triu(back)


def contextual(t, options):
    """Places counted by gates of the scores, read between two learned ones."""
    length, heads = t["in.x"].shape[1], options.heads
    query, key = (
        ops.einsum("btd,dhk->bhtk", t["in.x"], kernel(t[f"w.attn.to_{n}.weight"], h))
        for n, h in (("q", heads), ("k", options.groups))
    )
    key = ops.tile(key, (1, heads // options.groups, 1, 1))
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) * options.width**-0.5
    seen = ops.tril(ops.ones((length, length)))
    gates = ops.flip(ops.sigmoid(scores) * seen, axis=-1)
    table = t["w.attn.attend.cope.pos_emb"]
    counts = ops.flip(ops.cumsum(gates, axis=-1), axis=-1)
    counts = ops.minimum(counts, float(table.shape[0] - 1))
    known = ops.einsum("bhtd,pd->bhtp", query, table)
    low, high = (ops.cast(each(counts), "int32") for each in (ops.floor, ops.ceil))
    below, above = (ops.take_along_axis(known, n, axis=-1) for n in (low, high))
    share = counts - ops.cast(low, counts.dtype)
    return above * share + below * (1 - share)


def weights_of(t, options):
    """In the order of the layer: what is its own, then the projections."""
    return [*own_weights(t, options), *projections(t, options)]


def own_weights(t, options):
    weights = []
    if options.learned_lengths:
        for name in ("q", "k"):
            gain = t[f"w.attn.qk_norm_{name}_scale"][:, 0]
            weights.append(gain * options.width**-0.5)
    if options.given("qk_rmsnorm"):
        for name in ("q", "k"):
            weights.append(t[f"w.attn.{name}_rmsnorm.gamma"][:, 0] + 1.0)
    if options.memory:
        weights += [memory_key(t, options), t["w.attn.mem_v"]]
    for name, asked in ((BEFORE, options.mixes_before), (AFTER, options.mixes_after)):
        if asked:
            mix = ops.transpose(t[name][:, :, 0, 0])
            # Before the softmax the mix is added to what it mixes.
            weights.append(mix + ops.eye(options.heads) if name == BEFORE else mix)
    if options.sink:
        weights.append(t["w.attn.attend.head_attn_sink"])
    if "w.pos.relative_attention_bias.weight" in t:
        table = t["w.pos.relative_attention_bias.weight"]
        weights.append(table * options.width**0.5)
    return weights


def memory_key(t, options):
    """Learned keys are normed as projected ones are."""
    key = t["w.attn.mem_k"]
    if not options.given("qk_norm"):
        return key
    key = key / ops.sqrt(ops.sum(key * key, axis=-1, keepdims=True))
    return key * t["w.attn.qk_norm_k_scale"] if options.learned_lengths else key


def projections(t, options):
    """Query, key, gate, value and output; zeros where only the gate has a bias."""
    heads, groups, width, value = (
        options.heads,
        options.groups,
        options.width,
        options.value_width,
    )
    parts = [
        (kernel(matrix(t, "q", options.latent_query), heads), (heads, width)),
        (kernel(matrix(t, "k", options.latent_memory), groups), (groups, width)),
        (kernel(matrix(t, "v", options.latent_memory), groups), (groups, value)),
    ]
    weights = []
    for place, (each, shape) in enumerate(parts):
        weights += [each, ops.zeros(shape)] if options.head_gate else [each]
        if place == 1:
            weights += gate(t, options)
    output = output_kernel(t, options)
    bias = [ops.zeros((output.shape[-1],))] if options.head_gate else []
    return [*weights, output, *bias]


def matrix(t, name, latent):
    """A projection, and the one to a latent before it, as one matrix."""
    found = t[f"w.attn.to_{name}.weight"]
    if not latent:
        return found
    down = "w.attn.to_latent_q.weight" if name == "q" else "w.attn.to_latent_kv.weight"
    return ops.matmul(found, t[down])


def gate(t, options):
    """Kernel (D, H, v) and bias: one number of a head serves its whole width."""
    shape = (1, 1, options.value_width)
    if options.head_gate:
        rows = ops.transpose(t["w.attn.to_v_head_gate.weight"])[..., None]
        bias = t["w.attn.to_v_head_gate.bias"][:, None]
        return [ops.tile(rows, shape), ops.tile(bias, shape[1:])]
    if not options.gated:
        return []
    found = t["w.attn.to_v_gate.weight"]
    if options.given("gate_values_headwise"):
        return [ops.tile(ops.transpose(found)[..., None], shape)]
    return [kernel(found, options.heads)]


def output_kernel(t, options):
    """(H, v, D); the identity where the package has none; heads as they are scaled."""
    name = "w.attn.to_out.0" if options.glu else "w.attn.to_out"
    if f"{name}.weight" in t:
        (found,) = out_dense(t, name, options.heads)
    else:
        width = options.heads * options.value_width
        found = ops.reshape(ops.eye(width), (options.heads, -1, width))
    if options.given("head_scale"):
        found = found * t["w.attn.head_scale_params"][0]
    return found


def in_their_order(maps, options):
    """[sink, zero, learned, sequence] of [sequence, learned, zero]."""
    own = options.memory + options.zero
    if own:
        count = maps.shape[-1] - own
        sequence, learned = maps[..., :count], maps[..., count : count + options.memory]
        zero = maps[..., count + options.memory :]
        maps = ops.concatenate([zero, learned, sequence], axis=-1)
    if options.sink:
        rest = 1.0 - ops.sum(maps, axis=-1, keepdims=True)
        maps = ops.concatenate([rest, maps], axis=-1)
    return maps
