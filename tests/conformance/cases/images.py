"""Attention over the channels and places of images."""

from functools import partial

from regard import layers
from tests.conformance.kinds import ROW_SHIFT, over_image
from tests.reference import image_gates, pixels
from tests.reference.normalizers import sparsemax

GAIN = "the gain starts at zero, so nothing else gets a gradient in the first step"
PROJECTIONS = ("query", "key", "value", "attention_output")
STILL = {f"{name}/{kind}": GAIN for name in PROJECTIONS for kind in ("kernel", "bias")}

CASES = [
    over_image(
        "squeeze_excitation",
        partial(layers.SqueezeExcitation, ratio=1),
        image_gates.squeeze_excitation,
    ),
    over_image(
        "squeeze_excitation_bias",
        partial(layers.SqueezeExcitation, ratio=2, use_bias=True),
        image_gates.squeeze_excitation,
    ),
    over_image(
        "channel_gate",
        partial(layers.ChannelGate, ratio=1),
        image_gates.channel_gate,
    ),
    over_image(
        "channel_gate_pools",
        partial(
            layers.ChannelGate,
            ratio=1,
            pools=("length", "log_sum_exp"),
            use_bias=False,
        ),
        partial(image_gates.channel_gate, pools=("length", "log_sum_exp")),
    ),
    over_image("spatial_gate", layers.SpatialGate, image_gates.spatial_gate),
    over_image(
        "spatial_gate_even",
        partial(layers.SpatialGate, kernel_size=4, use_bias=False),
        image_gates.spatial_gate,
    ),
    over_image("cbam", partial(layers.CBAM, ratio=1), image_gates.cbam),
    over_image(
        "efficient_channel_gate",
        layers.EfficientChannelGate,
        image_gates.efficient_channel_gate,
    ),
    over_image(
        "efficient_channel_gate_bias",
        partial(layers.EfficientChannelGate, kernel_size=5, use_bias=True),
        image_gates.efficient_channel_gate,
    ),
    over_image("coordinate_gate", layers.CoordinateGate, image_gates.coordinate_gate),
    over_image("simam", layers.SimAM, image_gates.simam),
    over_image(
        "non_local",
        partial(layers.NonLocalAttention, units=3),
        pixels.non_local,
        still=STILL,
    ),
    over_image(
        "non_local_sparse",
        partial(layers.NonLocalAttention, normalizer="sparsemax", use_bias=False),
        partial(pixels.non_local, normalizer=sparsemax),
        still=STILL,
    ),
    over_image(
        "sagan",
        partial(layers.SAGANAttention, ratio=2),
        pixels.sagan,
        still=STILL,
    ),
    over_image(
        "double_attention",
        partial(layers.DoubleAttention, 5, 4),
        pixels.double,
        still={"gather/bias": ROW_SHIFT},
    ),
    over_image(
        "double_attention_bare",
        partial(layers.DoubleAttention, 5, 4, use_bias=False, project=False),
        pixels.double,
    ),
]
