"""What every feature map is."""

from typing import Any

from regard.core.parts import Part

Tensor = Any


class Feature(Part):
    r"""A map $\phi$ under which $\phi(q)^\top\phi(k)$ is the score; abstract.

    Scores that are products need no table of pairs. ``positive``: no score is negative,
    so that a row can be divided by its sum. ``pointwise``: the features of a key depend
    on that key alone, so that they can be computed as keys arrive.
    """

    name = ""
    positive = True

    @property
    def pointwise(self) -> bool:
        return True

    def width(self, width: int) -> int:
        """How many features a vector of a width has."""
        return width

    def query(self, vectors: Tensor, *parameters: Tensor) -> Tensor:
        """Queries (B, H, T, D) -> (B, H, T, F) in float32 at least."""
        raise NotImplementedError(f"{type(self).__name__} must define query.")

    def key(self, vectors: Tensor, mask: Tensor | None, *parameters: Tensor) -> Tensor:
        """Keys (B, H, S, D) -> (B, H, S, F); ``mask`` (B, 1, 1, S), True = real."""
        return self.query(vectors, *parameters)
