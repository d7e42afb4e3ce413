"""Where layers hand over their intermediates while somebody is looking.

A layer asks ``recorders(self)`` during a call and, if anyone listens, delivers a dict
of tensors. Nothing is kept on the layer, and listening changes nothing computed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recorder:
    """Receives ``(layer, tensors)`` for every layer that ``accepts``.

    ``reduce(sizes, look)`` may stand in for tables of all pairs, (B, H, T, S): it says
    what is kept of them. ``look(rows)`` gives scores, weights and mask of the queries
    with these numbers, of all where None. Layers without such tables never ask it.
    """

    accepts: Callable[[Any], bool]
    receive: Callable[[Any, dict[str, Any]], None]
    reduce: Callable[[tuple, Callable[..., dict]], dict] | None = None


_ACTIVE: ContextVar[tuple[Recorder, ...]] = ContextVar("recorders", default=())


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Listen while the block runs; recorders may be nested."""
    token = _ACTIVE.set((*_ACTIVE.get(), recorder))
    try:
        yield recorder
    finally:
        _ACTIVE.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Nobody listens while the block runs."""
    token = _ACTIVE.set(())
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def anybody_listens() -> bool:
    """True where there is a recorder for any layer now."""
    return bool(_ACTIVE.get())


def recorders(layer: Any) -> tuple[Recorder, ...]:
    """The recorders that listen to this layer now."""
    return tuple(each for each in _ACTIVE.get() if each.accepts(layer))
