"""What an attention is made of, and the plainest way to compute it: all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import ops

from regard.changing import Change
from regard.core.heads import grouped_matmul, per_map
from regard.core.normalizers import Normalizer
from regard.core.normalizers.part import LOWEST
from regard.core.own_keys import own_columns, with_own
from regard.core.positions import Position
from regard.core.scopes import Scope
from regard.core.scores import widen
from regard.core.shapes import sizes_of, taken

Tensor = Any


@dataclass(frozen=True)
class Recipe:
    """What a mechanism does between projection and output.

    ``score(query, key, *parameters)`` is pure and gets its weights as arguments, never
    by closure. ``pairwise_width`` is the width of the largest intermediate it makes per
    query-key pair: 1 for products, the units of additive attention. Normalizer and
    position get their weights as arguments too.

    ``blend(weights, *blend_parameters)`` combines the weights of heads after
    normalizing: (B, H', T, S) -> (B, H, T, S). ``own`` are keys and values
    (1, H, M, D), (1, H, M, Dv) of the layer itself, which every query sees after all
    others.

    ``factored`` says that the score is a product of query and key and is never
    negative, so that keys can be summed. ``settle(key, padding)`` changes keys that
    need to know of each other, with the mask (B, 1, 1, S) of the real ones or None.
    ``fade(weights, query, key)`` lessens weights by where query and key stand.
    ``changes`` are made by whoever asks what the weights are good for.
    """

    score: Callable[..., Tensor]
    normalizer: Normalizer
    parameters: tuple[Tensor, ...] = ()
    pairwise_width: int = 1
    normalizer_parameters: tuple[Tensor, ...] = ()
    position: Position | None = None
    position_parameters: tuple[Tensor, ...] = ()
    blend: Callable[..., Tensor] | None = None
    blend_parameters: tuple[Tensor, ...] = ()
    own: tuple[Tensor, ...] = ()
    factored: bool = False
    settle: Callable[..., Tensor] | None = None
    fade: Callable[..., Tensor] | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Visibility:
    """The final mask, kept in parts so that a block of rows never needs all of it."""

    masks: Mapping[str, Tensor] = field(default_factory=dict)  # each (B|1,H|1,T|1,S|1)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    grid: Any = None  # a Grid wherever there are scopes

    def of_rows(self, numbers) -> "Visibility":
        """What the queries with these numbers may see."""
        masks = {name: taken(part, numbers, 2) for name, part in self.masks.items()}
        grid = None if self.grid is None else self.grid.of_rows(numbers)
        return Visibility(masks, self.scopes, grid)

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
    """Scores, weights, mask (B, H, T, S) and context (B, H, T, Dv) in one piece.

    ``maps`` are the weights before heads are combined.
    """
    mask = visibility.mask()
    for change in recipe.changes:
        mask = change.narrowed(mask)
    position, places = recipe.position, recipe.position_parameters
    scores = recipe.score(query, key, *recipe.parameters)
    count = sizes_of(scores)[-1]  # the layer's own keys, which follow, stand nowhere
    if position is not None:
        nearness = position.bias(query, key, visibility.grid, *places)
        scores = scores if nearness is None else _plus(scores, widen(nearness))
    visible = scores
    if bias is not None:
        bias = widen(bias)
        visible = _plus(scores, per_map(bias, scores.shape[1]))
        mask = _finite(bias, mask)
    if recipe.own:
        more = recipe.score(query, recipe.own[0], *recipe.parameters)
        mask = own_columns(mask, visibility.masks.get("query"), scores, more)
        scores, visible = (ops.concatenate([s, more], -1) for s in (scores, visible))
        value = with_own(value, recipe.own[1])
    weights, mask, maps = _weighed(visible, mask, recipe, visibility.grid)
    if recipe.fade is not None:
        weights = recipe.fade(weights, query, key)
    for change in recipe.changes:
        weights = change.applied(weights, mask)
    mixing = weights if keep is None else weights * widen(keep)
    context = grouped_matmul(ops.cast(mixing, value.dtype), value)
    if position is not None:
        more = position.read(mixing[..., :count], visibility.grid, *places)
        context = context if more is None else context + ops.cast(more, context.dtype)
    tables = {"scores": scores, "weights": weights, "mask": mask, "maps": maps}
    return {"context": context, **tables}


def _finite(bias, mask):
    """The mask without what a bias of minus infinity hides; (B|1, H|1, T|1, S|1)."""
    real = ops.logical_not(bias <= LOWEST)  # so that NaN stays seen
    return real if mask is None else ops.logical_and(mask, real)


def _plus(scores, bias):
    """The sum, which TensorFlow must not fuse with the product that made the scores.

    oneDNN's fused kernel loses the result inside a compiled walk over rows.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        scores = tensorflow.ensure_shape(scores, scores.shape)
    return scores + bias


def _weighed(scores, mask, recipe, grid):
    """Weights of what may be seen, the mask in their shape, and the maps blended.

    A position changes the maps, which is what it has weights for, one by one.
    """
    seen = mask
    if mask is not None:
        seen = ops.broadcast_to(per_map(mask, scores.shape[1]), ops.shape(scores))
    weights = recipe.normalizer(scores, seen, *recipe.normalizer_parameters)
    if recipe.position is not None:
        weights = recipe.position.reweigh(weights, grid, *recipe.position_parameters)
    maps = weights
    if recipe.blend is not None:
        weights = recipe.blend(weights, *recipe.blend_parameters)
    if mask is None:
        mask = ops.ones((1,) * 4, dtype="bool")
        return weights, ops.broadcast_to(mask, ops.shape(weights)), maps
    mask = ops.broadcast_to(mask, ops.shape(weights))
    if recipe.blend is not None:  # a head may have seen what another may not
        weights = ops.where(mask, weights, ops.zeros_like(weights))
    return weights, mask, maps
