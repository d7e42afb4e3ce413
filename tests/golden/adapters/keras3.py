"""Keras' own layers."""

from keras import ops

from regard import Causal
from regard.layers import (
    AdditiveAttention,
    ConcatAttention,
    DotAttention,
    GroupedQueryAttention,
    MultiHeadAttention,
    ScaledDotAttention,
)
from tests.golden.tools import Applied, adapts, named, refuse_options


def called(case):
    """A run that calls a layer with the case's inputs and masks, given its weights."""

    def call(applied, weights, t):
        output, attention = applied(
            weights,
            t["in.q"],
            t.get("in.v", t["in.q"]),
            t.get("in.k"),
            query_mask=t.get("in.q_mask"),
            value_mask=t.get("in.v_mask"),
            return_attention_scores=True,
        )
        return {"out.y": output, "out.attention": attention}

    return call


def scope(case):
    """Keras counts a causal mask from the top left."""
    return Causal(offset=0) if case.call.get("use_causal_mask") else None


@adapts("keras3.Attention")
def attention(case):
    refuse_options(case, score_mode=("dot", "concat"))
    call, width = called(case), case.arrays["in.q"].shape[-1]
    if case.constructor.get("score_mode") == "concat":
        layer = Applied(ConcatAttention(width, scope=scope(case)))
        return lambda t: call(layer, concatenated(t, width), t)
    if case.constructor.get("use_scale"):
        layer = Applied(ScaledDotAttention(learn_scale=True, scope=scope(case)))
        return lambda t: call(layer, [t["w.scale"]], t)
    layer = Applied(DotAttention(scope=scope(case)))
    return lambda t: call(layer, [], t)


def concatenated(t, width):
    """w * sum(tanh(scale * (q + k))) as a kernel over [q; k] and a vector."""
    one = ops.eye(width) * t.get("w.scale", 1.0)
    vector = ops.ones((width,)) * t.get("w.concat_score_weight", 1.0)
    return [ops.concatenate([one, one]), vector]


@adapts("keras3.AdditiveAttention")
def additive_attention(case):
    call, width = called(case), case.arrays["in.q"].shape[-1]
    layer = Applied(AdditiveAttention(width, scope=scope(case)))

    def run(t):
        one = ops.eye(width)
        return call(layer, [one, one, t.get("w.scale", ops.ones((width,)))], t)

    return run


PARTS = ("query", "key", "gate", "value", "attention_output")
MASKS = ("query_mask", "value_mask", "key_mask", "attention_mask")


@adapts("keras3.MultiHeadAttention")
def multi_head_attention(case):
    options = {k: v for k, v in case.constructor.items() if k != "flash_attention"}
    return heads(case, MultiHeadAttention(**options))


@adapts("keras3.GroupQueryAttention")
def group_query_attention(case):
    options = {k: v for k, v in case.constructor.items() if k != "flash_attention"}
    return heads(case, GroupedQueryAttention(**options))


def heads(case, layer):
    applied = Applied(layer)
    causal = bool(case.call.get("use_causal_mask"))

    def run(t):
        names = [f"w.{part}/{kind}" for part in PARTS for kind in ("kernel", "bias")]
        weights = named(t, *names)
        value = t.get("in.kv", t.get("in.v", t["in.q"]))
        arguments = {
            **{name: t[f"in.{name}"] for name in MASKS if f"in.{name}" in t},
        }
        if causal:  # Keras counts rows and columns from the top left
            arguments["use_causal_mask"] = True
        if len(t["in.q"].shape) == 3 or causal:
            places = ops.arange(t["in.q"].shape[1], dtype="int32")
            arguments["query_positions"] = places
        inputs = (t["in.q"], value, t.get("in.k"))
        output, attention = applied(
            weights, *inputs, **arguments, return_attention_scores=True
        )
        alone = applied(weights, *inputs, **arguments)
        return {
            "out.y": output,
            "out.attention": attention,
            "out.y_without_scores": alone,
        }

    return run
