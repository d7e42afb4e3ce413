"""Heads that share keys and values, and norms of queries and keys."""

from functools import partial

from regard import layers, norms
from tests.conformance.kinds import MEMORY, ROW_SHIFT, SOFT, VARIANT, soft
from tests.reference.grouped_query import grouped_query
from tests.reference.norms import rms, scaled, unit

grouped = partial(layers.GroupedQueryAttention, 3, 4, 2)

CASES = [
    soft("grouped_query", grouped, grouped_query, still={"key/bias": ROW_SHIFT}),
    soft(
        "grouped_query_gated",
        partial(grouped, use_gate=True, value_dim=5, output_shape=7, scale=0.3),
        partial(grouped_query, norm=scaled(0.3)),
        still={"key/bias": ROW_SHIFT},
        tags=VARIANT,
    ),
    soft(
        "grouped_query_tiled",
        partial(grouped, head_order="tile", use_bias=False),
        partial(grouped_query, group=lambda head: head % 2),
        tags=VARIANT,
    ),
    soft(
        "multi_query",
        partial(layers.GroupedQueryAttention, 3, 2, 1, use_bias=False),
        grouped_query,
        tags=MEMORY | SOFT,
    ),
    soft(
        "grouped_query_rms",
        partial(grouped, query_key_norm=norms.RMS(), use_bias=False),
        partial(grouped_query, norm=rms),
        tags=MEMORY | SOFT,
    ),
    soft(
        "grouped_query_rms_per_head",
        partial(grouped, query_key_norm=norms.RMS(per_head=True)),
        partial(grouped_query, norm=rms),
        tags=VARIANT,
    ),
    soft(
        "grouped_query_unit",
        partial(grouped, query_key_norm=norms.Unit(3.0), use_bias=False),
        partial(grouped_query, norm=unit),
        tags=MEMORY | SOFT,
    ),
]
