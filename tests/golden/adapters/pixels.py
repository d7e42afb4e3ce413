"""Attention over the pixels of images: SAGAN and A2-Net."""

from regard.layers import DoubleAttention, SAGANAttention
from tests.golden.adapters.image_gates import FIRST, kernels
from tests.golden.tools import Applied, adapts, refuse_options


@adapts("sagan.Self_Attn")
def self_attention(case):
    refuse_options(case, activation=(None, "relu"))  # kept by the class, never used
    layer = Applied(SAGANAttention(8, **FIRST))

    def run(t):
        names = ("w.query_conv", "w.key_conv", "w.value_conv")
        weights = [t["w.gamma"][0], *kernels(t, *names)]
        output, attention = layer(weights, t["in.x"], return_attention_scores=True)
        return {"out.y": output, "out.attention": attention}

    return run


@adapts("external_attention_pytorch.DoubleAttention")
def double_attention(case):
    options = case.constructor
    projects = options.get("reconstruct", True)
    layer = Applied(
        DoubleAttention(options["c_m"], options["c_n"], project=projects, **FIRST)
    )

    def run(t):
        names = ["w.convA", "w.convB", "w.convV"]
        names += ["w.conv_reconstruct"] if projects else []
        return {"out.y": layer(kernels(t, *names), t["in.x"])}

    return run
