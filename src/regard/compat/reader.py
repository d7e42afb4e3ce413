"""What the old packages' layers share: reading a memory, visibly."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from regard.core.attend import Recipe, Visibility, attend
from regard.core.scopes import Causal, Grid, Scope
from regard.core.shapes import sizes_of
from regard.layers.inputs import checked, hide, join, quarantine
from regard.layers.keras_internals import get_keras_mask
from regard.layers.traceable import Traceable

__all__ = ["Reader", "as_list", "given", "spread"]

Tensor = Any


class Reader(Traceable):
    """A layer with an old package's name, weights and arguments; abstract.

    ``faithful=True`` brings the original's defects back.
    """

    def __init__(self, faithful: bool = False, **options: Any):
        super().__init__(**options)
        self.faithful = bool(faithful)
        self.supports_masking = True

    def keep(self, mask: Tensor | None, tensor: Tensor) -> Tensor | None:
        """The mask of one input as booleans (B, S): what was passed and what it has."""
        batch, length = sizes_of(tensor)[:2]
        return checked(join(mask, get_keras_mask(tensor)), "mask", batch, length)

    def read(
        self,
        query: Tensor,
        memory: tuple[Tensor, Tensor],
        recipe: Recipe,
        keep: Tensor | None = None,
        asked: Tensor | None = None,
        scope: Scope | None = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend, show it to whoever records, return context and weights.

        Args:
            query: (B, H, T, D).
            memory: keys (B, H, S, D) and values (B, H, S, Dv), hidden ones zeroed.
            recipe: score and normalizer.
            keep: (B, S), True = may be seen.
            asked: (B, T), False = an empty row.
            scope: over row and column numbers from zero.
            bias: added to the scores, broadcasts to (B, H, T, S).

        Returns:
            Context (B, H, T, Dv) and weights (B, H, T, S).
        """
        key, value = memory
        masks = {} if keep is None else {"padding": keep[:, None, None, :]}
        if asked is not None:
            masks["query"] = asked[:, None, :, None]
        grid = None
        if scope is not None:
            grid = numbered(sizes_of(query)[2], sizes_of(key)[2])
        visibility = Visibility(masks, _by_cause(scope), grid)
        listeners = self.recorders()
        want = ("weights", "scores", "mask") if listeners else ("weights",)
        result = attend(query, key, value, recipe, visibility, bias, None, want)
        for listener in listeners:
            parts = {"query": query, "key": key, "value": value, "bias": bias}
            listener.receive(self, {**result, **parts, "masks": visibility.parts()})
        return result["context"], ops.cast(result["weights"], self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "faithful": self.faithful}


def numbered(queries, keys) -> Grid:
    """Rows and columns counted from the top left, as the old packages count."""
    return Grid.of(queries, keys, ops.arange(queries, dtype="int32"))


def spread(inputs: Tensor, keep: Tensor | None, scope: Scope | None = None):
    """Inputs without what is hidden or not finite, and NaN for the scores of the last.

    Hidden positions never reach a product; without a scope there is nothing to add.
    """
    inputs = hide(inputs, keep)
    clean, _, poison = quarantine(inputs, inputs, Visibility({}, _by_cause(scope)))
    return clean, poison


def _by_cause(scope: Scope | None) -> dict[str, Scope]:
    """As a trace shows it; they have no argument beside it that makes a call causal."""
    if scope is None:
        return {}
    return {"causal" if isinstance(scope, Causal) else scope.cause: scope}


def given(query: Tensor, key: Tensor) -> Tensor:
    """The keys are the scores: (B, 1, 1, 1) and (B, 1, S, 1) -> (B, 1, 1, S)."""
    return ops.swapaxes(key, -1, -2) * query


def as_list(masks: Any, count: int) -> list:
    """One mask per input, whatever form they came in."""
    if isinstance(masks, (list, tuple)):
        return [*masks, *[None] * (count - len(masks))]
    return [masks] * count


def register(package: str):
    """Register a class under its old package, for several packages share names."""
    return keras.saving.register_keras_serializable(f"regard.compat.{package}")
