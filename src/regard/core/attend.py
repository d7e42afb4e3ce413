r"""The engine: score, mask, normalize, mix, along the path that suits the size.

Every path computes the same function of the same arguments:

    scores  = score(query, key) + bias              (B, H, T, S)  float32 at least
    weights = normalizer(scores where mask)         (B, H, T, S)
    context = (weights * keep) @ value              (B, H, T, Dv)

``dense`` does it at once, ``rows`` one block of query rows after another, ``linear``
sums keys before it reads queries, where the score is a product of features, ``band``
gives blocks of queries only the keys near them, where no others are visible.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from jaxtyping import Float, Shaped

from regard.core.band import Reach, banded, by_band, rows_for
from regard.core.dense import Recipe, Visibility, dense
from regard.core.rows import by_rows
from regard.core.shapes import is_static, sizes_of
from regard.core.sums import by_sums, is_factored

__all__ = ["Plan", "Recipe", "Visibility", "attend", "plan", "standard_scale"]

Tensor = Any
# Elements of the largest intermediate, over batch and heads, in float32.
DENSE_LIMIT = 1 << 25  # worth holding whole: 134 MB
BLOCK_LIMIT = 1 << 22  # of one block of rows: 17 MB
BAND_GAIN = 4  # how many times fewer keys a block must have for a band to pay
ASSUMED_PLANES = 32  # batch x heads where the batch is not known yet


@dataclass(frozen=True)
class Plan:
    """The path the engine takes, and why."""

    path: str
    rows: int | None
    reason: str
    bytes: int | None

    def __str__(self):
        size = "unknown" if self.bytes is None else f"{self.bytes / 1e6:.1f} MB"
        return f"{self.path}: {self.reason}; about {size} of intermediates"


def plan(
    query_length,
    key_length,
    pairwise_width: int = 1,
    planes=None,
    rowwise=True,
    factored=False,
    reach: Reach | None = None,
) -> Plan:
    """Choose the path from sizes alone; ``planes`` is batch x heads.

    A length that is not known yet counts as large. A normalizer that is not ``rowwise``
    needs all rows at once. ``factored``: scores are products of features. ``reach``:
    how many keys before and after its place a query sees at most, where that is known.
    """
    if factored:
        reason = "the score is a product of features, so keys are summed"
        return Plan("linear", None, reason, None)
    if not rowwise:
        return Plan("dense", None, "the normalizer joins rows", None)
    if not is_static(query_length, key_length):
        if keras.backend.backend() == "torch":  # only while a graph is exported
            return Plan("dense", None, "torch exports loops of one length only", None)
        return Plan("rows", 16, "a length is not known before the call", None)
    planes = planes or ASSUMED_PLANES
    row = planes * key_length * pairwise_width
    if reach is not None:
        rows = rows_for(reach)
        width = rows + sum(reach)
        if BAND_GAIN * width <= key_length:
            size = 4 * planes * pairwise_width * width * -(-query_length // rows) * rows
            reason = f"a query sees at most {sum(reach) + 1} of {key_length} keys"
            return Plan("band", rows, reason, size)
    if query_length == 1 or query_length * row <= DENSE_LIMIT:
        reason = f"{query_length} x {key_length} is small"
        return Plan("dense", None, reason, 4 * query_length * row)
    rows = max(1, min(query_length, BLOCK_LIMIT // row))
    return Plan("rows", rows, f"{query_length} x {key_length} is large", 4 * rows * row)


def attend(  # noqa: PLR0913 - the contract of the engine
    query: Float[Tensor, "b h q d"],
    key: Float[Tensor, "b g k _"],
    value: Float[Tensor, "b g2 k v"],
    recipe: Recipe,
    visibility: Visibility | None = None,
    bias: Tensor | None = None,
    keep: Tensor | Callable[..., Tensor] | None = None,
    want: tuple[str, ...] = (),
) -> dict[str, Shaped[Tensor, "b h q _"]]:
    """Read ``value`` as the scores of ``query`` and ``key`` say.

    Args:
        query: projected queries (B, H, T, D).
        key: projected keys (B, G, S, D'), as many heads as queries or a divisor of
            them, which groups of neighbouring heads share.
        value: projected values (B, G, S, Dv), likewise.
        recipe: score, normalizer and their parameters.
        visibility: what may be seen; None shows everything.
        bias: added to the scores before masking, broadcasts to (B, H, T, S).
        keep: dropout factors for the weights, 0 or 1/(1-rate), (B, H, T, S), or a
            function that draws them for as many scores as it is told.
        want: names among "scores", "weights", "mask" to return as well.

    Returns:
        A dict with "context" (B, H, T, Dv) and what was wanted. Wanting more never
        changes the path or the numbers.
    """
    visibility = visibility or Visibility()
    if recipe.settle is not None:
        key = recipe.settle(key, visibility.masks.get("padding"))
    batch, heads, length, _ = query.shape
    planes = batch * heads if is_static(batch, heads) else None
    sizes = (length, key.shape[2], recipe.pairwise_width, planes)
    rowwise, reach = recipe.normalizer.rowwise, banded(recipe, visibility)
    summed = is_factored(recipe, visibility, bias, keep)
    chosen = plan(*sizes, rowwise, summed, reach)
    context, tensors = None, (query, key, value, recipe, visibility, bias)
    if chosen.path == "linear":
        context = by_sums(query, key, value, recipe, visibility)
    elif chosen.path == "band":
        context = by_band(reach, *tensors, keep)
    if context is not None:
        if not want:
            return {"context": context}
        chosen, keep = plan(*sizes, rowwise), None  # for weights, without dropout
    if callable(keep):
        own = recipe.own[0].shape[2] if recipe.own else 0
        keep = keep(*sizes_of(query)[:3], sizes_of(key)[2] + own)
    if chosen.path == "dense":
        result = dense(*tensors, keep)
    else:
        result = by_rows(chosen.rows, *tensors, keep)
    if context is not None:  # asking for weights leaves the context as it is
        result["context"] = context
    return {name: result[name] for name in ("context", *want)}


def standard_scale(width: int) -> float:
    """1/sqrt(d)."""
    return 1.0 / math.sqrt(width)
