"""Places inside the scores: each scheme in many heads."""

from functools import partial

from regard import layers, positions
from tests.conformance.case import Sizes
from tests.conformance.kinds import (
    PLACED,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    over_sequence,
    soft,
)
from tests.reference import positions as reference
from tests.reference.absolute_positions import learned, registers, sinusoidal

KEPT = {"kernel_options_reach_every_kernel": "both numbers are kept positive"}
SAME = {"key/bias": ROW_SHIFT}


def placed(name, scheme, score, **more):
    """A scheme in two heads, over keys that it sees all of."""
    more = {"tags": PLACED | SOFT, **more}
    also = {name: more.pop(name, None) for name in ("heard", "fade")}
    return soft(
        name,
        partial(layers.MultiHeadAttention, 2, 4, position=scheme),
        partial(reference.with_positions, score=score, **also),
        sees=lambda query, key: True,  # steps stand at places of their own
        **more,
    )


def absolute(name, make, compute):
    """Encodings that are added to a sequence; no weights to show."""
    tags, sizes = frozenset({"hides", "lengths"}), Sizes(value_width=6)
    return over_sequence(name, make, compute, sizes=sizes, tags=tags)


CASES = [
    placed(
        "shaw",
        positions.ShawRelative(2),
        reference.shaw,
        heard=reference.shaw_values,
        still=SAME,
        tags=(PLACED | SOFT) - {"traced"},  # places are read too, not values alone
    ),
    placed(
        "shaw_keys",
        positions.ShawRelative(2, values=False),
        reference.shaw,
        still=SAME,
        tags=VARIANT,
    ),
    placed(
        "transformer_xl",
        positions.TransformerXLRelative(),
        reference.transformer_xl,
        still=SAME,
    ),
    placed(
        "disentangled",
        positions.DisentangledRelative(2),
        partial(reference.disentangled, order="code"),
    ),
    placed(
        "disentangled_paper",
        positions.DisentangledRelative(2, order="paper"),
        reference.disentangled,
        tags=VARIANT,
    ),
    placed("rope", positions.RoPE(), reference.rotary),
    placed("xpos", positions.XPos(decay_base=4.0), reference.xpos, tags=VARIANT),
    placed("axial_rope", positions.AxialRoPE(3), reference.axial),
    placed("alibi", positions.ALiBi(), reference.biased(reference.alibi), still=SAME),
    placed(
        "t5",
        positions.T5Bias(8, 12),
        reference.biased(reference.t5),
        still=SAME,
    ),
    placed(
        "kerple",
        positions.Kerple(),
        reference.biased(reference.kerple),
        still=SAME,
        xfail=KEPT,
    ),
    placed(
        "kerple_power",
        positions.Kerple("power"),
        reference.biased(partial(reference.kerple, curve="power")),
        still=SAME,
        tags=VARIANT,
        xfail=KEPT,
    ),
    placed(
        "fire",
        positions.FIRE(units=5, threshold=3.0),
        reference.biased(reference.fire),
        still=SAME,
    ),
    placed(
        "window_bias",
        positions.WindowBias((2, 3)),
        reference.biased(reference.window),
        still=SAME,
    ),
    placed(
        "continuous_window_bias",
        positions.ContinuousWindowBias((2, 3), units=5),
        reference.biased(reference.continuous_window),
        still=SAME,
    ),
    placed(
        "adaptive_span",
        positions.AdaptiveSpan(4, ramp=3, start=0.5),
        reference.plain,
        fade=reference.adaptive_span,
        still=SAME,
        # Weights that fade are not those of the normalizer; a row may fade away.
        tags=(PLACED | SOFT) - {"traced", "distribution"},
        xfail={"kernel_options_reach_every_kernel": "spans are kept in [0, 1]"},
    ),
    absolute("sinusoidal_positions", layers.SinusoidalPositions, sinusoidal),
    absolute(
        "sinusoidal_positions_half",
        partial(layers.SinusoidalPositions, layout="half"),
        partial(sinusoidal, half=True),
    ),
    absolute("learned_positions", partial(layers.LearnedPositions, 7), learned),
    absolute("registers", partial(layers.Registers, 2), registers),
]
