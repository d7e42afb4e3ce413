"""What an attention is made of, and the plainest way to compute it: all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras import ops

from regard.core.normalizers import Normalizer
from regard.core.positions import Position
from regard.core.scopes import Scope
from regard.core.scores import widen

Tensor = Any


@dataclass(frozen=True)
class Recipe:
    """What a mechanism does between projection and output.

    ``score(query, key, *parameters)`` is pure and gets its weights as arguments, never
    by closure. ``pairwise_width`` is the width of the largest intermediate it makes per
    query-key pair: 1 for products, the units of additive attention. Normalizer and
    position get their weights as arguments too.
    """

    score: Callable[..., Tensor]
    normalizer: Normalizer
    parameters: tuple[Tensor, ...] = ()
    pairwise_width: int = 1
    normalizer_parameters: tuple[Tensor, ...] = ()
    position: Position | None = None
    position_parameters: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Visibility:
    """The final mask, kept in parts so that a block of rows never needs all of it."""

    masks: Mapping[str, Tensor] = field(default_factory=dict)  # each (B|1,H|1,T|1,S|1)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    grid: Any = None  # a Grid wherever there are scopes

    def parts(self) -> dict[str, Tensor]:
        """Every cause of hiding by name, with four axes."""
        parts = dict(self.masks)
        for cause, scope in self.scopes.items():
            allowed = scope.allows(self.grid)  # (T, S) | (B, T, S)
            while len(allowed.shape) < 3:
                allowed = ops.expand_dims(allowed, 0)
            parts[cause] = ops.expand_dims(allowed, 1)
        return parts

    def mask(self) -> Tensor | None:
        """All parts at once, or None where nothing is hidden."""
        joined = None
        for part in self.parts().values():
            joined = part if joined is None else ops.logical_and(joined, part)
        return joined


def dense(query, key, value, recipe, visibility, bias, keep):
    """Scores, weights, mask (B, H, T, S) and context (B, H, T, Dv) in one piece."""
    mask = visibility.mask()
    position, places = recipe.position, recipe.position_parameters
    scores = recipe.score(query, key, *recipe.parameters)
    if position is not None:
        nearness = position.bias(query, key, visibility.grid, *places)
        scores = scores if nearness is None else scores + widen(nearness)
    visible = scores if bias is None else scores + widen(bias)
    if mask is not None:
        mask = ops.broadcast_to(mask, ops.shape(scores))
        visible = ops.where(mask, visible, ops.zeros_like(scores))
    weights = recipe.normalizer(visible, mask, *recipe.normalizer_parameters)
    if position is not None:
        weights = position.reweigh(weights, visibility.grid, *places)
    mixing = weights if keep is None else weights * widen(keep)
    context = ops.matmul(ops.cast(mixing, value.dtype), value)
    if position is not None:
        more = position.read(mixing, visibility.grid, *places)
        context = context if more is None else context + ops.cast(more, context.dtype)
    if mask is None:
        mask = ops.ones_like(scores, dtype="bool")
    return {"context": context, "scores": scores, "weights": weights, "mask": mask}
