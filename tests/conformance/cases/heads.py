"""Many heads."""

from functools import partial

from regard import Causal, layers
from tests.conformance.kinds import MEMORY, PLACED, ROW_SHIFT, SOFT, VARIANT, soft
from tests.reference.multi_head import multi_head
from tests.reference.several_axes import over_first_axis


def planes(sizes):
    """Two axes between batch and features, the second not attended over."""
    return {
        "query": (sizes.batch, sizes.query, 3, sizes.query_width),
        "value": (sizes.batch, sizes.key, 3, sizes.value_width),
        "key": (sizes.batch, sizes.key, 3, sizes.key_width),
    }


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
        "multi_head_first_axis",
        partial(layers.MultiHeadAttention, 2, 4, attention_axes=1),
        over_first_axis,
        layout=planes,
        still={"key/bias": ROW_SHIFT},
        tags=frozenset({"weights", "lengths"}),
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
