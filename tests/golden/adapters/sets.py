"""juho-lee/set_transformer, and Perceiver of transformers."""

import re

from keras import ops

from regard.layers import (
    InducedSetBlock,
    MultiHeadPooling,
    PerceiverAttention,
    SetBlock,
)
from tests.golden.tools import Applied, adapts, refuse_options

PREFIX = "set_transformer"


def arguments(case):
    """``dim_in=6, num_heads=2, ln=True`` as a dict."""
    words = case.constructor.get("args", "")
    found = {k: v for k, v in re.findall(r"(\w+)=(\w+)", words)}
    found |= {k: str(v) for k, v in case.constructor.items() if k != "args"}
    return {
        k: v == "True" if v in ("True", "False") else int(v) for k, v in found.items()
    }


def block_options(case):
    given = arguments(case)
    units = next(given[n] for n in ("dim_V", "dim_out", "dim") if n in given)
    norm = {"layer_norm": bool(given.get("ln", False)), "full_scale": True}
    return (given["num_heads"], units), norm, given


def block_weights(t, name):
    """Those of one MAB, kernels the Keras way round."""
    found = []
    for part in ("fc_q", "fc_k", "fc_v", "fc_o"):
        found += [ops.transpose(t[f"{name}{part}.weight"]), t[f"{name}{part}.bias"]]
    for part in ("ln0", "ln1"):
        if f"{name}{part}.weight" in t:
            found += [t[f"{name}{part}.weight"], t[f"{name}{part}.bias"]]
    return found


@adapts(f"{PREFIX}.MAB")
def mab(case):
    sizes, norm, _ = block_options(case)
    layer = Applied(SetBlock(*sizes, **norm))
    return lambda t: {"out.y": layer(block_weights(t, "w."), t["in.Q"], t["in.K"])}


@adapts(f"{PREFIX}.SAB")
def sab(case):
    sizes, norm, _ = block_options(case)
    layer = Applied(SetBlock(*sizes, **norm))
    return lambda t: {"out.y": layer(block_weights(t, "w.mab."), t["in.X"])}


@adapts(f"{PREFIX}.ISAB")
def isab(case):
    sizes, norm, given = block_options(case)
    layer = Applied(InducedSetBlock(*sizes, given["num_inds"], **norm))

    def run(t):
        blocks = [*block_weights(t, "w.mab0."), *block_weights(t, "w.mab1.")]
        return {"out.y": layer([t["w.I"][0], *blocks], t["in.X"])}

    return run


@adapts(f"{PREFIX}.PMA")
def pma(case):
    sizes, norm, given = block_options(case)
    layer = Applied(MultiHeadPooling(*sizes, given["num_seeds"], **norm))

    def run(t):
        weights = [t["w.S"][0], *block_weights(t, "w.mab.")]
        return {"out.y": layer(weights, t["in.X"])}

    return run


@adapts("hf.PerceiverSelfAttention")
def perceiver(case):
    """Heads are joined and nothing follows; one norm serves keys and values."""
    options = case.constructor
    refuse_options(case, attention_probs_dropout_prob=(0.0,))
    heads = options.get("num_heads", 1)
    queried = options.get("qk_channels") or options["q_dim"]
    valued = options.get("v_channels") or queried
    layer = Applied(
        PerceiverAttention(
            heads,
            queried // heads,
            valued // heads,
            residual=False,
            project_output=False,
        )
    )
    crossed = options.get("is_cross_attention", "in.inputs" in case.arrays)
    norm = "w.layernorm2" if crossed else "w.layernorm1"

    def run(t):
        weights = []
        for part in ("query", "key", "value"):
            weights += [ops.transpose(t[f"w.{part}.weight"]), t[f"w.{part}.bias"]]
        for name in ("w.layernorm1", norm, norm):
            weights += [t[f"{name}.weight"], t[f"{name}.bias"]]
        memory = t["in.inputs"] if crossed else t["in.hidden_states"]
        output, attention = layer(
            ordered(weights),
            t["in.hidden_states"],
            memory,
            return_attention_scores=True,
        )
        return {"out.y": output, "out.attention": attention}

    return run


def ordered(weights):
    """Norms come first in ours."""
    return [*weights[6:], *weights[:6]]
