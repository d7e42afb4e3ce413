"""Two inputs."""

from functools import partial

from regard import layers
from tests.conformance.case import Case, Sizes
from tests.conformance.kinds import (
    GATE,
    MEMORY,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    recurrent,
    soft,
)
from tests.reference import pairs as reference
from tests.reference.perceiver import perceiver
from tests.reference.top_down import top_down

SHIFT = {"key/bias": ROW_SHIFT}
PAIR = {"arguments": ("query", "value"), "memory": ("value",)}
ALIKE = Sizes(query_width=5, value_width=5)
BOTH = GATE | {"masked", "order_free", "asks", "direct"}

CASES = [
    soft(
        "perceiver",
        partial(layers.PerceiverAttention, 2, 3, value_dim=4),
        perceiver,
        tags=MEMORY | SOFT | {"direct"},
        still=SHIFT,
        xfail={
            "values_are_mixed_and_do_not_choose": "values are normalized before that"
        },
    ),
    soft(
        "perceiver_joined",
        partial(layers.PerceiverAttention, 2, 3, residual=False, project_output=False),
        partial(perceiver, residual=False),
        tags=VARIANT,
        still=SHIFT,
    ),
    Case(
        "attention_flow",
        layers.AttentionFlow,
        reference.attention_flow,
        sizes=ALIKE,
        tags=BOTH | {"distribution", "traced"},
        xfail={
            "large_logits_stay_finite": "products of such features are too large for "
            "float16, and the output holds them"
        },
        **PAIR,
    ),
    Case(
        "coattention",
        partial(layers.Coattention, 4),
        reference.coattention,
        tags=VARIANT,
        **PAIR,
    ),
    Case(
        "dynamic_coattention",
        layers.DynamicCoattention,
        reference.dynamic_coattention,
        sizes=ALIKE,
        tags=BOTH,
        **PAIR,
    ),
    Case(
        "decomposable",
        partial(layers.DecomposableAttention, 6),
        reference.decomposable,
        sizes=ALIKE,
        tags=BOTH | {"distribution", "traced"},
        **PAIR,
    ),
    recurrent(
        "top_down",
        partial(layers.TopDownDecoder, 4, 3),
        top_down,
    ),
]
