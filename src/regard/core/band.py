r"""The path for scopes that show each query only keys near its own place.

Queries are cut into blocks of rows, and every block gets the keys its band reaches.
The blocks become examples of a batch, and the fused path or ``dense`` reads them as it
reads anything: every score, normalizer, bias and mask works unchanged. Nothing of the
size T * S is made.
"""

from typing import Any

from regard.core.dense import Recipe, Visibility, dense
from regard.core.folding import Folding
from regard.core.fused import by_kernel, is_fusable
from regard.core.limits import BAND_ROWS
from regard.core.scopes import Scope
from regard.core.scopes.scope import EVERYTHING, joint_band
from regard.core.scores import location
from regard.core.shapes import sizes_of

Tensor = Any
Reach = tuple[int, int]


def reach_of(*scopes: Scope) -> Reach | None:
    """How many keys before and after its own place a query sees; None without end."""
    band = joint_band(scopes)
    if band is None or EVERYTHING in band:
        return None
    return int(band[0]), int(band[1])


def banded(recipe: Recipe, visibility: Visibility) -> Reach | None:
    """The reach of every query, where it is known from rows and columns alone."""
    if not visibility.scopes or not visibility.grid.aligned:
        return None  # a caller's own places may lie anywhere
    if recipe.settle is not None or recipe.score is location:
        return None  # keys know of each other, or of their column
    return reach_of(*visibility.scopes.values())


def rows_for(reach: Reach) -> int:
    """Rows of a block: as many as a band is wide, within what was measured."""
    least, most = BAND_ROWS
    return max(least, min(most, 1 << sum(reach).bit_length()))


def by_band(  # noqa: PLR0913 - the engine's arguments
    reach, query, key, value, recipe: Recipe, visibility: Visibility, bias, keep
):
    """The context of ``dense``, (B, H, T, Dv); ``keep`` may draw factors.

    ``reach`` is how many keys a query sees to the left and to the right.
    """
    folding = Folding.of(rows_for(reach), reach, query, key)
    masks = {name: folding.pairs(part) for name, part in visibility.masks.items()}
    if "padding" not in masks:  # which hides all that lies outside, too
        masks["outside"] = folding.inside()
    position = recipe.position
    relative = (position is None or position.relative) and all(
        scope.relative for scope in visibility.scopes.values()
    )
    more = recipe.own[0].shape[2] if recipe.own else 0
    if callable(keep):
        keep = keep(*folding.shape(sizes_of(query)[1], more))
    elif keep is not None:
        keep = folding.pairs(keep)
    folded = (
        folding.queries(query),
        folding.keys(key),
        folding.keys(value),
        recipe,
        Visibility(masks, visibility.scopes, folding.grid(relative)),
        None if bias is None else folding.pairs(bias),
    )
    if is_fusable(recipe, bias, keep):
        return folding.unfold(by_kernel(*folded))
    return folding.unfold(dense(*folded, keep)["context"])
