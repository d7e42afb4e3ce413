"""Linear attention of fast-transformers, Performer and linear-attention-transformer."""

from keras import ops

from regard import features, normalizers
from regard.core import scores
from regard.core.attend import Recipe, Visibility
from regard.core.scans import gated_scan
from regard.core.sums import by_sums
from regard.layers import LinearAttention
from tests.golden.tools import Applied, adapts, refuse_options, within


def turned(tensor):
    return ops.swapaxes(tensor, 1, 2)


def causal(query, key, value):
    """Sums over the keys so far: of the values, and of the scores."""
    ones = ops.ones_like(value[..., :1])
    sums, _ = gated_scan(query, key, ops.concatenate([value, ones], axis=-1), chunk=4)
    return sums[..., :-1], sums[..., -1:]


def everywhere(query, key, value):
    recipe = Recipe(scores.dot, normalizers.Proportional(0.0), factored=True)
    return by_sums(query, key, value, recipe, Visibility())


@adapts("fast_transformers.LinearAttention")
def over_a_memory(case):
    """One head a batch: the package leaves projections to others."""
    refuse_options(case, feature_map=(None,))
    epsilon = case.constructor.get("eps", 1e-6)
    width = case.constructor["query_dimensions"]
    layer = Applied(
        LinearAttention(
            1, width, use_bias=False, normalizer=normalizers.Proportional(epsilon)
        )
    )

    def run(t):
        q, k, v = (t[f"in.{name}"] for name in ("queries", "keys", "values"))
        batch, length, heads, _ = q.shape
        lengths = t.get("in.key_lengths")
        keep = within(lengths, k.shape[1])
        if keep is not None:
            keep = ops.repeat(keep, heads, axis=0)
        layer.layer.value_dim = v.shape[-1]
        layer.layer.output_size = v.shape[-1]
        size = ops.eye(width)
        same = ops.eye(v.shape[-1])
        kernels = [size[:, None], size[:, None], same[:, None], same[None]]
        q, k, v = (
            ops.reshape(turned(each), (batch * heads, each.shape[1], -1))
            for each in (q, k, v)
        )
        output = layer(kernels, q, v, k, value_mask=keep)
        output = ops.reshape(output, (batch, heads, length, -1))
        return {"out.y": turned(output)}

    return run


@adapts("fast_transformers.CausalLinearAttention")
def causal_of_fast_transformers(case):
    refuse_options(case, feature_map=(None,))
    epsilon, feature = case.constructor.get("eps", 1e-6), features.Elu()

    def run(t):
        q, k, v = (turned(t[f"in.{name}"]) for name in ("queries", "keys", "values"))
        key = feature.key(k, None)
        keep = within(t.get("in.key_lengths"), k.shape[2])
        if keep is not None:
            key = ops.where(keep[:, None, :, None], key, ops.zeros_like(key))
        sums, total = causal(feature.query(q), key, v)
        return {"out.y": turned(sums / (total + epsilon))}

    return run


@adapts("performer_pytorch.FastAttention")
def performer(case):
    refuse_options(case, kernel_fn=(None, "ReLU", "relu"))
    options = case.constructor
    generalized = options.get("generalized_attention", False)
    looks_back = options.get("causal", False)

    def featured(t):
        q, k = t["in.q"], t["in.k"]
        if options.get("no_projection"):
            kind = features.Exponential() if looks_back else features.SoftmaxFeatures()
            return kind.query(q), kind.key(k, None)
        projection = t["in.projection_matrix"]
        kind = features.RandomFeatures(
            projection.shape[0],
            kind="relu" if generalized else "exponential",
            epsilon=1e-3 if generalized else 1e-4,
        )
        return kind.query(q, projection), kind.key(k, None, projection)

    def run(t):
        query, key = featured(t)
        if not looks_back:
            return {"out.y": everywhere(query, key, t["in.v"])}
        sums, total = causal(query, key, t["in.v"])
        every = 1e-6 * ops.sum(query, axis=-1, keepdims=True)
        return {"out.y": sums / (total + every)}

    return run


@adapts("linear_attention_transformer.linear_attn")
def efficient(case):
    feature = features.SoftmaxFeatures()

    def run(t):
        q, k, v = (t[f"in.{name}"] for name in "qkv")
        mask = t.get("in.kv_mask")
        if mask is not None:
            v = ops.where(mask[:, None, :, None], v, ops.zeros_like(v))
            mask = mask[:, None, None, :]
        output = everywhere(feature.query(q), feature.key(k, mask), v)
        return {"out.y": output * q.shape[-1] ** -0.5}

    return run


@adapts("linear_attention_transformer.causal_linear_attn")
def buckets(case):
    """A query sees the buckets before its own, and its own where it has one place."""
    size = max(case.call.get("bucket_size") or 64, 1)
    feature = features.Exponential()

    def spread(tensor, first):
        """Queries before the keys of their bucket: (B, H, T, D) -> (B, H, 2T, D)."""
        batch, heads, length, width = tensor.shape
        tensor = ops.reshape(tensor, (batch, heads, length // size, size, width))
        pair = [tensor, ops.zeros_like(tensor)]
        both = ops.concatenate(pair if first else pair[::-1], axis=3)
        return ops.reshape(both, (batch, heads, 2 * length, width))

    def gather(tensor, length):
        batch, heads, _, width = tensor.shape
        tensor = ops.reshape(tensor, (batch, heads, -1, 2 * size, width))[
            :, :, :, :size
        ]
        return ops.reshape(tensor, (batch, heads, length, width))

    def run(t):
        q, k, v = (t[f"in.{name}"] for name in "qkv")
        query = feature.query(q) * q.shape[-1] ** -0.5
        key = feature.key(k, None)
        if "in.kv_mask" in t:
            seen = t["in.kv_mask"][:, None, :, None]
            key, v = (ops.where(seen, each, ops.zeros_like(each)) for each in (key, v))
        if size == 1:
            sums, total = causal(query, key, v)
        else:
            keys = spread(key, False), spread(v, False)
            found = causal(spread(query, True), *keys)
            sums, total = (gather(each, q.shape[2]) for each in found)
        return {"out.y": sums / ops.maximum(total, 1e-3)}

    return run
