r"""The engine: score, mask, normalize, mix, along the path that suits the size.

Every path computes the same function of the same arguments:

    scores  = score(query, key) + bias              (B, H, T, S)  float32 at least
    weights = normalizer(scores where mask)         (B, H, T, S)
    context = (weights * keep) @ value              (B, H, T, Dv)

``dense`` does it at once, ``rows`` one block of query rows after another, ``linear``
sums keys before it reads queries, where the score is a product of features, ``band``
gives blocks of queries only the keys near them, where no others are visible, ``fused``
leaves softmax over products to the best way of the backend.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jaxtyping import Float, Shaped

from regard.core.band import banded, by_band
from regard.core.dense import Recipe, Visibility, dense
from regard.core.fused import by_kernel, is_fusable
from regard.core.plan import Plan, Traits, plan
from regard.core.rows import by_rows
from regard.core.shapes import is_static, sizes_of
from regard.core.sums import by_sums, is_factored

__all__ = [
    "Plan",
    "Recipe",
    "Traits",
    "Visibility",
    "attend",
    "plan",
    "standard_scale",
]

Tensor = Any


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
    lengths, reach = (length, key.shape[2]), banded(recipe, visibility)
    pairs = Traits(recipe.pairwise_width, recipe.normalizer.rowwise)
    summed = is_factored(recipe, visibility, bias, keep)
    fusable = is_fusable(recipe, bias, keep)
    traits = replace(pairs, factored=summed, fusable=fusable, reach=reach)
    chosen = plan(*lengths, traits, planes)
    if recipe.changes:
        chosen = Plan("dense", None, "single weights are changed", None)
    context, tensors = None, (query, key, value, recipe, visibility, bias)
    if chosen.path == "linear":
        context = by_sums(query, key, value, recipe, visibility)
    elif chosen.path == "band":
        context = by_band(reach, *tensors, keep)
    elif chosen.path == "fused":
        context = by_kernel(*tensors)
    if context is not None:
        if not want:
            return {"context": context}
        chosen, keep = plan(*lengths, pairs, planes), None  # weights, without dropout
    if callable(keep):
        own = recipe.own[0].shape[2] if recipe.own else 0
        keep = keep(*sizes_of(query)[:3], sizes_of(key)[2] + own)
    if chosen.path == "dense":
        result = dense(*tensors, keep)
    else:
        result = by_rows(chosen.rows, want, *tensors, keep)
    if context is not None:  # asking for weights leaves the context as it is
        result["context"] = context
    return {name: result[name] for name in ("context", *want)}


def standard_scale(width: int) -> float:
    """1/sqrt(d)."""
    return 1.0 / math.sqrt(width)
