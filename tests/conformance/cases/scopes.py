"""Who may see whom: every scope in a layer, and layers made of scopes."""

from functools import partial

from regard import layers
from tests.conformance.kinds import over_sequence
from tests.reference.longformer import longformer

CASES = [
    over_sequence(
        "longformer",
        partial(layers.LongformerAttention, 2, 3, window=1),
        longformer,
        tags=frozenset({"hides", "lengths", "weights", "dropout"}),
        still={
            "key/bias": "the same for every key of a row, which softmax cancels",
            "key_global/bias": "the same for every key of a row, which softmax cancels",
        },
    ),
]
