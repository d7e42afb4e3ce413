"""Two inputs."""

from functools import partial

from regard import layers
from tests.conformance.kinds import MEMORY, ROW_SHIFT, SOFT, VARIANT, soft
from tests.reference.perceiver import perceiver

SHIFT = {"key/bias": ROW_SHIFT}

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
]
