"""Many heads."""

from functools import partial

from regard import Causal, layers
from tests.conformance.kinds import MEMORY, PLACED, ROW_SHIFT, SOFT, VARIANT, soft
from tests.reference.multi_head import multi_head

CASES = [
    soft(
        "multi_head",
        partial(layers.MultiHeadAttention, 2, 3),
        multi_head,
        still={"key/bias": ROW_SHIFT},
    ),
    soft(
        "multi_head_wide",
        partial(
            layers.MultiHeadAttention, 2, 3, value_dim=5, use_bias=False, output_shape=9
        ),
        multi_head,
        tags=VARIANT,
    ),
    soft(
        "multi_head_gated",
        partial(layers.MultiHeadAttention, 3, 2, use_gate=True),
        multi_head,
        still={"key/bias": ROW_SHIFT},
        tags=MEMORY | SOFT | {"direct"},
    ),
    soft(
        "multi_head_causal",
        partial(layers.MultiHeadAttention, 2, 3, scope=Causal()),
        multi_head,
        sees=lambda query, key: key <= query,
        still={"key/bias": ROW_SHIFT},
        tags=PLACED | SOFT,
    ),
]
