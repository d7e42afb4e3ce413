"""How captured maps are drawn.

Figures stand above what is captured, so they are not imported here: the package says
how to draw when it is imported itself.
"""

from collections.abc import Callable
from typing import Any

_ways: list[Callable[..., Any]] = []


def drawn_by(way: Callable[..., Any]) -> None:
    """Draw maps by ``way(maps, *args, **options)``."""
    _ways[:] = [way]


def draw(maps: Any, *args: Any, **options: Any) -> Any:
    """What the package draws of the maps."""
    (way,) = _ways
    return way(maps, *args, **options)
