"""Where somebody may change the weights of a layer before it reads with them.

A layer asks ``changes_of(self)`` during a call, as it asks who is recording. Nothing is
kept on the layer, and without a change nothing is computed differently.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """What happens to the weights (B, H, T, S) of a layer.

    ``shown``: boolean, broadcasts to (B, H, T, S), False = hidden before the weights
    are made, as by a mask. ``weights(weights, mask)`` gives other weights for those
    that were made. ``uses`` gets an entry whenever the change is made.
    """

    weights: Callable[[Any, Any], Any] | None = None
    shown: Any = None
    uses: list[bool] = field(default_factory=list)

    def narrowed(self, mask: Any) -> Any:
        """The mask without what is hidden; None hides nothing."""
        self.uses.append(True)
        if self.shown is None:
            return mask
        return self.shown if mask is None else self.shown & mask

    def applied(self, weights: Any, mask: Any) -> Any:
        """The weights to read with."""
        return weights if self.weights is None else self.weights(weights, mask)


_ACTIVE: ContextVar[tuple[tuple[Any, Change], ...]] = ContextVar("changes", default=())


@contextmanager
def changing(layer: Any, change: Change) -> Iterator[None]:
    """The layer reads with changed weights while the block runs; may be nested."""
    token = _ACTIVE.set((*_ACTIVE.get(), (layer, change)))
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def anything_changes() -> bool:
    """True where somebody changes the weights of any layer now."""
    return bool(_ACTIVE.get())


def changes_of(layer: Any) -> tuple[Change, ...]:
    """What is to be done to the weights of this layer now, in this order."""
    return tuple(change for changed, change in _ACTIVE.get() if changed is layer)
