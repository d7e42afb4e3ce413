"""Attention that looks at less than all pairs."""

from functools import partial

from regard import layers
from tests.conformance.case import Sizes
from tests.conformance.kinds import GATE, VARIANT, over_sequence, soft
from tests.reference import approximate

SQUARE = Sizes(query=5)


def masked(name, make, reference, **more):
    """A row whose memory may be padded."""
    return soft(name, make, reference, **{"tags": VARIANT, **more})


CASES = [
    masked(
        "linformer",
        partial(layers.LinformerAttention, 2, 3, rows=4, maximum_length=8),
        approximate.linformer,
    ),
    masked(
        "linformer_shared",
        partial(layers.LinformerAttention, 2, 3, rows=4, maximum_length=8, share=True),
        approximate.linformer,
    ),
    masked(
        "nystrom",
        partial(layers.NystromAttention, 2, 3, landmarks=2),
        approximate.nystrom,
    ),
    masked(
        "nystrom_convolution",
        partial(
            layers.NystromAttention, 2, 3, landmarks=3, convolution=3, use_bias=False
        ),
        partial(approximate.nystrom, landmarks=3),
        sizes=SQUARE,
        tags=VARIANT - {"lengths"},
    ),
    masked(
        "prob_sparse",
        partial(layers.ProbSparseAttention, 2, 3, factor=1),
        approximate.prob_sparse,
    ),
    masked(
        "prob_sparse_causal",
        partial(layers.ProbSparseAttention, 2, 3, factor=1, causal=True),
        partial(approximate.prob_sparse, causal=True),
        sizes=SQUARE,
        tags=VARIANT - {"lengths"},
    ),
    over_sequence(
        "lsh",
        partial(layers.LSHAttention, 2, 3, rounds=2, buckets=4, chunk=2, seed=5),
        approximate.lsh,
        tags=GATE,
    ),
    over_sequence(
        "lsh_causal",
        partial(
            layers.LSHAttention,
            2,
            3,
            rounds=1,
            buckets=2,
            chunk=2,
            causal=True,
            seed=5,
        ),
        partial(approximate.lsh, causal=True, buckets=2),
        tags=GATE,
    ),
    masked(
        "attention_free_simple",
        partial(layers.AttentionFree, 3),
        approximate.attention_free,
    ),
    masked(
        "attention_free_full",
        partial(layers.AttentionFree, 3, maximum_length=8),
        approximate.attention_free,
    ),
    masked(
        "attention_free_low_rank",
        partial(layers.AttentionFree, 3, maximum_length=8, rank=2, causal=True),
        partial(approximate.attention_free, causal=True),
    ),
]
