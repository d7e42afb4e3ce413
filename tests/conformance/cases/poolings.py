"""Poolings by a hidden layer, with gates, in several rows, with statistics."""

from functools import partial

import numpy as np

from regard import layers
from tests.conformance.kinds import POOLING, ROW_SHIFT, VARIANT, over_sequence
from tests.reference import poolings as reference

PLACED = POOLING - {"order_free"}

CASES = [
    over_sequence(
        "context_pooling",
        partial(layers.ContextPooling, 4),
        reference.context_pooling,
    ),
    over_sequence(
        "gated_pooling", partial(layers.GatedPooling, 4), reference.gated_pooling
    ),
    over_sequence(
        "gated_pooling_biased",
        partial(layers.GatedPooling, 4, use_bias=True, gated=False),
        reference.gated_pooling,
        tags=VARIANT,
    ),
    over_sequence(
        "structured_pooling",
        partial(layers.StructuredPooling, 4, 3),
        reference.structured_pooling,
        rows=3,
    ),
    over_sequence(
        "structured_pooling_biased",
        partial(layers.StructuredPooling, 4, 3, use_bias=True),
        reference.structured_pooling,
        rows=3,
        still={"hop_bias": ROW_SHIFT},
        tags=VARIANT,
    ),
    over_sequence(
        "last_state",
        partial(layers.LastStatePooling, 4),
        reference.last_state,
        tags=PLACED | {"direct"},
    ),
    over_sequence(
        "statistics_pooling",
        partial(layers.StatisticsPooling, 4),
        reference.statistics_pooling,
        still={"score_bias": ROW_SHIFT},
    ),
    over_sequence(
        "statistics_pooling_by_channel",
        partial(
            layers.StatisticsPooling,
            4,
            activation="relu",
            by_channel=True,
            global_context=True,
        ),
        partial(
            reference.statistics_pooling,
            activation=lambda x: np.maximum(x, 0),
            context=True,
        ),
        rows=7,
        still={"score_bias": ROW_SHIFT},
    ),
]
