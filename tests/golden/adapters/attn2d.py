"""The aggregators of elbayadm/attn2d, which read a grid over its sources."""

from regard import Causal
from regard.layers import GatedGridPooling, GridAttention, GridPooling
from tests.golden.adapters.image_gates import kernels
from tests.golden.tools import Applied, adapts


def reading(case, layer, *names):
    """The layer on the grid; its weights where the package shows them."""
    applied = Applied(layer)

    def run(t):
        output, attention = applied(
            kernels(t, *names), t["in.x"], return_attention_scores=True
        )
        return {"out.y": output, "out.attention": attention}

    return run


@adapts("attn2d.max")
def maximum(case):
    return reading(case, GridPooling("max"))


@adapts("attn2d.avg")
def average(case):
    return reading(case, GridPooling("average"))


@adapts("attn2d.gated-max")
def gated_maximum(case):
    return reading(case, GatedGridPooling(), "w.linear")


@adapts("attn2d.grid-max")
def running_maximum(case):
    return reading(case, GridPooling("max", prefixes=True))


@adapts("attn2d.attn", "attn2d.grid-attn", "attn2d.path-attn")
def attention(case):
    units = case.arrays["w.w1.weight"].shape[0]
    scope = None
    if case.name == "attn2d.path-attn":  # target t sees the first t + waitk sources
        scope = Causal(offset=case.constructor["waitk"] - 1)
    prefixes = case.name == "attn2d.grid-attn"
    layer = GridAttention(units, scope=scope, prefixes=prefixes)
    return reading(case, layer, "w.w1", "w.w2")
