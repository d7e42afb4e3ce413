"""Sets and documents: blocks, learned seeds and latents, words within sentences."""

from functools import partial

from regard import layers
from tests.conformance.kinds import (
    GATE,
    MEMORY,
    POOLING,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    over_sequence,
    soft,
)
from tests.reference import sets as reference
from tests.reference.hierarchical import hierarchical_pooling
from tests.reference.perceiver import latent_attention

FEED_FORWARD = {
    "values_are_mixed_and_do_not_choose": "a feed-forward layer bends the output"
}

CASES = [
    soft(
        "set_block",
        partial(layers.SetBlock, 2, 6),
        reference.set_block,
        tags=MEMORY | SOFT | {"direct"},
        still={"key/bias": ROW_SHIFT},
        xfail=FEED_FORWARD,
    ),
    soft(
        "set_block_as_programmed",
        partial(layers.SetBlock, 2, 6, layer_norm=False, full_scale=True),
        partial(reference.set_block, full_scale=True),
        tags=VARIANT,
        still={"key/bias": ROW_SHIFT},
    ),
    over_sequence(
        "multi_head_pooling",
        partial(layers.MultiHeadPooling, 2, 6, num_seeds=3),
        reference.multi_head_pooling,
        rows=3,
        tags=POOLING | {"direct"},
        still={"block/key/bias": ROW_SHIFT},
    ),
    over_sequence(
        "induced_set_block",
        partial(layers.InducedSetBlock, 2, 6, 3),
        reference.induced_set_block,
        tags=GATE,
        still={"gather/key/bias": ROW_SHIFT, "answer/key/bias": ROW_SHIFT},
    ),
    over_sequence(
        "latent_attention",
        partial(layers.LatentAttention, 3, 5, 2, 3),
        latent_attention,
        rows=3,
        tags=POOLING | {"direct"},
        still={"block/key/bias": ROW_SHIFT},
    ),
    over_sequence(
        "hierarchical_pooling",
        partial(layers.HierarchicalPooling, 4, 3),
        hierarchical_pooling,
        layout=lambda s: {"inputs": (s.batch, s.key, s.query, s.value_width)},
        free={"inputs": (1, 2)},
        tags=VARIANT,
    ),
]
