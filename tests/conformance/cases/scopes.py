"""Who may see whom: every scope in a layer, and layers made of scopes."""

from functools import partial

import regard
from regard import layers
from tests.conformance.kinds import (
    EQUAL,
    PLACED,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    over_sequence,
    soft,
)
from tests.reference.longformer import longformer
from tests.reference.scaled_dot import scaled_dot

LAYOUT = ((1, 0, 1), (1, 1, 0), (0, 1, 1))


def seen_through(name, scope, sees, tags=PLACED | SOFT):
    """Scaled dot-product attention that looks through a scope."""
    make = partial(layers.ScaledDotAttention, scope=scope)
    return soft(name, make, scaled_dot, sizes=EQUAL, sees=sees, tags=tags)


def in_blocks(layout, size):
    """What a layout of blocks shows; places outside it see nothing."""

    def sees(i, j):
        inside = 0 <= i < size * len(layout) and j < size * len(layout[0])
        return inside and bool(layout[i // size][j // size])

    return sees


RANDOM = regard.big_bird(6, size=2, window=0, random=1, seed=4)
CASES = [
    seen_through(
        "dilated",
        regard.Dilated(1, 1, step=2),
        lambda i, j: i - j in (-2, 0, 2),
    ),
    seen_through(
        "strided",
        regard.Strided(2),
        lambda i, j: i >= j and (i - j < 2 or (i - j) % 2 == 0),
    ),
    seen_through("prefix", regard.Prefix(2), lambda i, j: j < 2),
    seen_through(
        "prefix_causal",
        regard.Causal() | regard.Prefix(2),
        lambda i, j: j <= i or j < 2,
        tags=VARIANT,
    ),
    seen_through("blocks", regard.Blocks(LAYOUT, 2), in_blocks(LAYOUT, 2)),
    seen_through("big_bird", RANDOM, in_blocks(RANDOM.layout, 2), tags=VARIANT),
    seen_through(
        "everywhere",
        regard.Window(1, 1) | regard.Everywhere([0]),
        lambda i, j: abs(i - j) <= 1 or 0 in (i, j),
    ),
    # Where the keys end, padding included, decides who the neighbours are.
    seen_through(
        "neighbourhood",
        regard.Neighbourhood(3),
        lambda i, j: 0 <= j - min(max(i - 1, 0), 2) < 3,
        tags=VARIANT,
    ),
    over_sequence(
        "longformer",
        partial(layers.LongformerAttention, 2, 3, window=1),
        longformer,
        tags=frozenset({"hides", "lengths", "weights", "dropout"}),
        still={"key/bias": ROW_SHIFT, "key_global/bias": ROW_SHIFT},
    ),
]
