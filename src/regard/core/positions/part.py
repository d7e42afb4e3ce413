"""What every position scheme is."""

from typing import Any

from regard.core.parts import Part

Tensor = Any


class Position(Part):
    """How places enter the scores; abstract.

    ``rotate`` changes queries and keys once, before scoring; ``bias`` is added to the
    scores, and is asked for the rows of one block at a time. Both get the weights of
    the scheme as arguments and see places only through the grid, so caches and packed
    sequences need nothing special.
    """

    def rotate(self, vectors: Tensor, positions: Tensor, *parameters: Tensor) -> Tensor:
        """Queries or keys (B, H, T, D) that stand at ``positions`` (T,) or (B, T)."""
        return vectors

    def bias(self, query: Tensor, grid: Any, *parameters: Tensor) -> Tensor | None:
        """What is added to the scores of ``query`` (B, H, T, D), (B|1, H|1, T, S)."""
        return None
