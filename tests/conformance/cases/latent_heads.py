"""Keys and values from latents."""

from functools import partial

from regard import layers
from tests.conformance.case import Sizes
from tests.conformance.kinds import MEMORY, PLACED, SOFT, VARIANT, soft
from tests.reference.latent import latent

ONE_WIDTH = Sizes(value_width=6)


def everywhere(query, key):
    """Nothing is hidden, but places matter."""
    return True


NORMED = {"values_are_mixed_and_do_not_choose": "the norm of a latent forgets its size"}
turning = partial(layers.LatentAttention, 2, 3, 5, rope_dim=4)

CASES = [
    soft(
        "latent",
        turning,
        partial(latent, turning=4),
        sizes=ONE_WIDTH,
        sees=everywhere,
        tags=PLACED | SOFT,
        xfail=NORMED,
    ),
    soft(
        "latent_absorbed",
        partial(turning, absorb=True, query_latent_dim=3, mscale=1.2),
        partial(latent, turning=4, mscale=1.2),
        sizes=ONE_WIDTH,
        sees=everywhere,
        tags=PLACED | SOFT,
        xfail=NORMED,
    ),
    soft(
        "latent_unplaced",
        partial(layers.LatentAttention, 2, 3, 5, value_dim=4, use_bias=True),
        latent,
        sizes=ONE_WIDTH,
        tags=MEMORY | SOFT,
        xfail=NORMED,
    ),
    soft(
        "latent_plain",
        partial(
            layers.LatentAttention, 2, 3, 5, rope_dim=2, latent_norm=False, absorb=True
        ),
        partial(latent, turning=2),
        sizes=ONE_WIDTH,
        tags=VARIANT,
    ),
]
