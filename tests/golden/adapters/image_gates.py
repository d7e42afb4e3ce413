"""Gates over images: senet.pytorch, CBAM, External-Attention-pytorch."""

from keras import ops

from regard.layers import (
    CBAM,
    ChannelGate,
    CoordinateGate,
    EfficientChannelGate,
    SimAM,
    SpatialGate,
    SqueezeExcitation,
)
from tests.golden.tools import Applied, adapts

FIRST = {"data_format": "channels_first"}
POOLS = {"avg": "average", "max": "max", "lp": "length", "lse": "log_sum_exp"}
EPSILON = 1e-5  # of BatchNorm in torch


def kernels(t, *names):
    """Linear layers and 1x1 convolutions by name: kernel and, if any, bias."""
    found = []
    for name in names:
        weight = t[f"{name}.weight"]
        found.append(ops.transpose(ops.reshape(weight, weight.shape[:2])))
        if f"{name}.bias" in t:
            found.append(t[f"{name}.bias"])
    return found


def normalized(t, kernel, bias, name):
    """What a convolution and its BatchNorm in inference mode are together.

    ``kernel`` ends with the output channels; ``bias`` is 0.0 where there is none.
    """
    scale = t[f"{name}.weight"] / ops.sqrt(t[f"{name}.running_var"] + EPSILON)
    shift = t[f"{name}.bias"] + (bias - t[f"{name}.running_mean"]) * scale
    return [kernel * scale, shift]


@adapts("senet.SELayer")
def se_layer(case):
    layer = Applied(SqueezeExcitation(case.constructor.get("reduction", 16), **FIRST))
    return lambda t: {"out.y": layer(kernels(t, "w.fc.0", "w.fc.2"), t["in.x"])}


def pools_of(case):
    return [POOLS[name] for name in case.constructor.get("pool_types", ("avg", "max"))]


@adapts("cbam.ChannelGate")
def channel_gate(case):
    ratio = case.constructor.get("reduction_ratio", 16)
    layer = Applied(ChannelGate(ratio, pools_of(case), **FIRST))
    return lambda t: {"out.y": layer(kernels(t, "w.mlp.1", "w.mlp.3"), t["in.x"])}


def convolution(t, name):
    """The 7x7 convolution and its BatchNorm."""
    kernel = ops.transpose(t[f"{name}.conv.weight"], (2, 3, 1, 0))
    return normalized(t, kernel, 0.0, f"{name}.bn")


@adapts("cbam.SpatialGate")
def spatial_gate(case):
    layer = Applied(SpatialGate(**FIRST))
    return lambda t: {"out.y": layer(convolution(t, "w.spatial"), t["in.x"])}


@adapts("cbam.CBAM")
def cbam(case):
    ratio, pools = case.constructor.get("reduction_ratio", 16), pools_of(case)
    names = ("w.ChannelGate.mlp.1", "w.ChannelGate.mlp.3")
    if case.constructor.get("no_spatial"):
        layer = Applied(ChannelGate(ratio, pools, **FIRST))
        return lambda t: {"out.y": layer(kernels(t, *names), t["in.x"])}
    layer = Applied(CBAM(ratio, pools=pools, **FIRST))

    def run(t):
        weights = kernels(t, *names) + convolution(t, "w.SpatialGate.spatial")
        return {"out.y": layer(weights, t["in.x"])}

    return run


@adapts("external_attention_pytorch.ECAAttention")
def eca_attention(case):
    size = case.constructor.get("kernel_size", 3)
    layer = Applied(EfficientChannelGate(size, use_bias=True, **FIRST))

    def run(t):
        kernel = ops.transpose(t["w.conv.weight"], (2, 1, 0))
        return {"out.y": layer([kernel, t["w.conv.bias"]], t["in.x"])}

    return run


@adapts("external_attention_pytorch.CoordAtt")
def coordinate_attention(case):
    options = case.constructor
    if options.get("oup", options.get("inp")) != options.get("inp"):
        raise NotImplementedError("the gate must have the channels of the image")
    layer = Applied(CoordinateGate(options.get("reduction", 32), **FIRST))

    def run(t):
        kernel, bias = kernels(t, "w.conv1")
        weights = normalized(t, kernel, bias, "w.bn1")
        weights += kernels(t, "w.conv_h", "w.conv_w")
        return {"out.y": layer(weights, t["in.x"])}

    return run


@adapts("external_attention_pytorch.SimAM")
def simam(case):
    layer = Applied(SimAM(case.constructor.get("e_lambda", 1e-4), **FIRST))
    return lambda t: {"out.y": layer([], t["in.x"])}
