"""What every norm of queries and keys is."""

from typing import Any

from regard.core.attend import standard_scale
from regard.core.parts import Part

Tensor = Any


class Norm(Part):
    """Brings the vectors of every head to a common length; abstract.

    A layer builds it twice, for its queries and for its keys, each with weights of
    their own. It comes before the positions, whose turns keep lengths.
    """

    def build(
        self, owner: Any, num_heads: int, width: int, name: str = "query"
    ) -> tuple[Any, ...]:
        """Create the weights for ``name``, "query" or "key"."""
        return ()

    def __call__(self, vectors: Tensor, *parameters: Tensor) -> Tensor:
        """(B, H, T, D) normed, in the dtype that came."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")

    def scale(self, width: int) -> float:
        """What products of normed vectors are multiplied by, unless told otherwise."""
        return standard_scale(width)
