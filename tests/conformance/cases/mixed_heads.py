"""Heads that mix, subtract and remember."""

from functools import partial

from regard import layers, positions
from tests.conformance.kinds import MEMORY, ROW_SHIFT, VARIANT, soft
from tests.reference.mixed_heads import (
    differential,
    persistent_memory,
    talking_heads,
)

MIXED = MEMORY - {"distribution", "traced"}
SEES_OWN = MIXED - {"masked", "order_free"}

CASES = [
    soft(
        "talking_heads",
        partial(layers.TalkingHeadsAttention, 2, 3),
        talking_heads,
        still={"key/bias": ROW_SHIFT},
        tags=MIXED,
    ),
    soft(
        "talking_heads_before",
        partial(layers.TalkingHeadsAttention, 3, 2, mix_weights=False, use_bias=False),
        talking_heads,
        tags=MEMORY - {"traced"},
    ),
    soft(
        "talking_heads_after",
        partial(layers.TalkingHeadsAttention, 3, 2, mix_scores=False, use_bias=False),
        talking_heads,
        tags=VARIANT,
    ),
    soft(
        "differential",
        partial(layers.DifferentialAttention, 2, 3),
        differential,
        still={"key/bias": ROW_SHIFT},
        tags=MIXED,
        xfail={
            "values_are_mixed_and_do_not_choose": "the norm of a head divides by the "
            "size of what was read"
        },
    ),
    soft(
        "differential_deep",
        partial(
            layers.DifferentialAttention, 2, 3, depth=4, value_dim=5, norm_gain=False
        ),
        partial(differential, first=0.8 - 0.6 * 2.718281828459045**-0.9),
        still={"key/bias": ROW_SHIFT},
        tags=VARIANT,
    ),
    soft(
        "differential_span",
        partial(
            layers.DifferentialAttention,
            2,
            3,
            position=positions.AdaptiveSpan(4, ramp=3, start=0.5),
        ),
        partial(differential, span=(4, 3)),
        still={"key/bias": ROW_SHIFT},
        tags=VARIANT,
        xfail={"kernel_options_reach_every_kernel": "spans are kept in [0, 1]"},
    ),
    soft(
        "persistent_memory",
        partial(layers.PersistentMemoryAttention, 2, 3, 4),
        persistent_memory,
        tags=SEES_OWN,
        xfail={
            "all_masks_hold_together": "a masked query sees none of the layer's keys, "
            "one without real keys sees them; the reference cannot tell them apart",
            "steps_over_an_empty_memory_are_zero": "they read the layer's own keys",
        },
    ),
    soft(
        "persistent_memory_zero",
        partial(layers.PersistentMemoryAttention, 2, 3, 0, add_zero=True),
        partial(persistent_memory, zeros=1),
        tags=VARIANT,
    ),
]
