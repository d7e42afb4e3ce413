"""Gates and pooling: one sequence in."""

from functools import partial

from regard import layers
from tests.conformance.kinds import GATE, over_sequence
from tests.reference.feature_gate import feature_gate
from tests.reference.normalizers import sparsemax
from tests.reference.pooling import pooling

CASES = [
    over_sequence(
        "feature_gate",
        layers.FeatureGate,
        feature_gate,
        tags=GATE,
    ),
    over_sequence(
        "pooling",
        layers.AttentionPooling,
        pooling,
    ),
    over_sequence(
        "pooling_sparsemax",
        partial(layers.AttentionPooling, use_bias=False, normalizer="sparsemax"),
        partial(pooling, normalizer=sparsemax),
    ),
]
