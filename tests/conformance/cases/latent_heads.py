"""Keys and values from latents."""

from functools import partial

from regard import layers
from tests.conformance.case import Sizes
from tests.conformance.kinds import MEMORY, PLACED, SOFT, VARIANT, soft
from tests.reference.multi_head_latent import multi_head_latent

ONE_WIDTH = Sizes(value_width=6)


def everywhere(query, key):
    """Nothing is hidden, but places matter."""
    return True


NORMED = {"values_are_mixed_and_do_not_choose": "the norm of a latent forgets its size"}
turning = partial(layers.MultiHeadLatentAttention, 2, 3, 5, rope_dim=4)

CASES = [
    soft(
        "multi_head_latent",
        turning,
        partial(multi_head_latent, turning=4),
        sizes=ONE_WIDTH,
        sees=everywhere,
        tags=PLACED | SOFT,
        xfail=NORMED,
    ),
    soft(
        "multi_head_latent_absorbed",
        partial(turning, absorb=True, query_latent_dim=3, mscale=1.2),
        partial(multi_head_latent, turning=4, mscale=1.2),
        sizes=ONE_WIDTH,
        sees=everywhere,
        tags=PLACED | SOFT,
        xfail=NORMED,
    ),
    soft(
        "multi_head_latent_unplaced",
        partial(layers.MultiHeadLatentAttention, 2, 3, 5, value_dim=4, use_bias=True),
        multi_head_latent,
        sizes=ONE_WIDTH,
        tags=MEMORY | SOFT,
        xfail=NORMED,
    ),
    soft(
        "multi_head_latent_plain",
        partial(
            layers.MultiHeadLatentAttention,
            2,
            3,
            5,
            rope_dim=2,
            latent_norm=False,
            absorb=True,
        ),
        partial(multi_head_latent, turning=2),
        sizes=ONE_WIDTH,
        tags=VARIANT,
    ),
]
