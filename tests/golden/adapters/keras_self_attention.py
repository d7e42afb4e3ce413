"""CyberZHG/keras-self-attention."""

from regard.compat import keras_self_attention as ours
from tests.golden.tools import Applied, adapts, named

WEIGHTS = ("w.Wt", "w.Wx", "w.bh", "w.W", "w.b", "w.Wa", "w.ba")
PREFIX = "keras_self_attention"


def made(case, faithful):
    kind = getattr(ours, case.name.removeprefix(f"{PREFIX}."))
    options = {**case.constructor, "return_attention": True}
    return Applied(kind(faithful=faithful, **options))


@adapts(f"{PREFIX}.SeqSelfAttention", reproduces=True)
def seq_self_attention(case, faithful):
    layer = made(case, faithful)

    def run(t):
        outputs = layer(named(t, *WEIGHTS), t["in.x"], mask=t.get("in.mask"))
        results = dict(zip(("out.v", "out.attention"), outputs, strict=True))
        return results | {"out.loss": sum(layer.losses)} if layer.losses else results

    return run


@adapts(f"{PREFIX}.SeqWeightedAttention", reproduces=True)
def seq_weighted_attention(case, faithful):
    layer = made(case, faithful)

    def run(t):
        outputs = layer(named(t, *WEIGHTS), t["in.x"], mask=t.get("in.mask"))
        return dict(zip(("out.pooled", "out.attention"), outputs, strict=True))

    return run


@adapts(f"{PREFIX}.ScaledDotProductAttention", reproduces=True)
def scaled_dot_product_attention(case, faithful):
    layer = made(case, faithful)

    def run(t):
        inputs, mask = asked(t)
        outputs = layer([], inputs, mask=mask)
        return dict(zip(("out.v", "out.attention"), outputs, strict=True))

    return run


@adapts(f"{PREFIX}.ResidualScaledDotProductAttention", reproduces=True)
def residual_attention(case, faithful):
    layer = made(case, faithful)

    def run(t):
        inputs, mask = asked(t)
        inputs = [*(inputs if isinstance(inputs, list) else [inputs]), t["in.prev"]]
        if mask is not None:
            mask = [*(mask if isinstance(mask, list) else [mask]), None]
        outputs = layer([], inputs, mask=mask)
        names = ("out.v", "out.new_prev", "out.attention")
        return dict(zip(names, outputs, strict=True))

    return run


def asked(t):
    """x, or query, key and value; and their masks."""
    key_mask = t.get("in.key_mask", t.get("in.mask"))
    alone = t.get("in.x", t["in.q"] if "in.k" not in t else None)
    if alone is not None:
        return alone, key_mask
    inputs = [t["in.q"], t["in.k"], t.get("in.v", t["in.k"])]
    masks = [t.get("in.query_mask"), key_mask, None]
    return inputs, None if key_mask is None else masks
