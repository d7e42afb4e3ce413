"""Series over time."""

from functools import partial

from regard import layers
from tests.conformance.case import Case, Sizes
from tests.conformance.kinds import (
    MEMORY,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    over_sequence,
    recurrent,
    soft,
)
from tests.reference import series as reference

KNOWN = {name: () for name in ("query", "value", "key")}
LONG = Sizes(query=9, key=7)

CASES = [
    Case(
        "auto_correlation",
        partial(layers.AutoCorrelation, 2, 3),
        reference.auto_correlation,
        sizes=LONG,
        free=KNOWN,
        tags=frozenset({"hides", "weights"}),
    ),
    Case(
        "auto_correlation_cut",
        partial(layers.AutoCorrelation, 2, 3, factor=2),
        partial(reference.auto_correlation, factor=2),
        sizes=Sizes(query=6, key=8),
        free=KNOWN,
        tags=frozenset({"hides", "weights"}),
    ),
    soft(
        "interpretable",
        partial(layers.InterpretableMultiHeadAttention, 2, 3, value_dim=4),
        reference.interpretable,
        tags=MEMORY | SOFT,
    ),
    soft(
        "interpretable_biased",
        partial(layers.InterpretableMultiHeadAttention, 2, 3, use_bias=True),
        reference.interpretable,
        tags=VARIANT,
        still={"key/bias": ROW_SHIFT},
    ),
    over_sequence(
        "input_attention",
        partial(layers.InputAttention, 4, 3),
        reference.input_attention,
        free={"inputs": ()},
        tags=frozenset({"weights"}),
    ),
    recurrent(
        "temporal_attention",
        partial(layers.TemporalAttention, 4, 3),
        reference.temporal_attention,
        tags=VARIANT | {"distribution"},
    ),
    over_sequence(
        "temporal_pattern",
        partial(layers.TemporalPatternAttention, 4, 3),
        reference.temporal_pattern,
        free={"inputs": ()},
        tags=frozenset({"weights"}),
    ),
    over_sequence(
        "pyramid",
        partial(layers.PyramidEncoder, 3, 2),
        reference.pyramid,
        tags=frozenset({"hides", "lengths"}),
    ),
]
