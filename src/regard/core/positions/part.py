"""What every position scheme is."""

from typing import Any

from regard.core.parts import Part

Tensor = Any


class Position(Part):
    """How places enter an attention; abstract.

    Queries and keys may be changed once, before they are compared; something may be
    added to the scores of a block of rows at a time; weights may be changed after
    normalizing, and something may be added to what is read. All of it gets the weights
    of the scheme as arguments and sees places only through the grid, so caches and
    packed sequences need nothing special. Two schemes are joined with ``+``.
    """

    count = 0  # of the weights that build makes
    copies = 1  # of a query and a key, side by side, that placing makes

    @property
    def only_places(self):
        """True where queries and keys are changed and nothing is done to pairs."""
        kind, usual = type(self), Position
        return (kind.bias, kind.reweigh, kind.read) == (
            usual.bias,
            usual.reweigh,
            usual.read,
        )

    @property
    def relative(self):
        """True where bias, reweigh and read ask the grid for distances alone."""
        return self.only_places

    def build(self, owner, num_heads, width, value_width=None):
        """Create the weights through ``owner.add_weight`` and return them, in order.

        ``width`` is that of a query and of a key per head, ``value_width`` of a value.
        """
        return ()

    def rotate(self, vectors: Tensor, positions: Tensor, *parameters: Tensor) -> Tensor:
        """Queries or keys (B, H, T, D) that stand at ``positions`` (T,) or (B, T)."""
        return vectors

    def place_queries(self, query, positions, *parameters: Tensor) -> Tensor:
        """Queries as they are compared; by default as keys are."""
        return self.rotate(query, positions, *parameters)

    def place_keys(self, key, positions, *parameters: Tensor) -> Tensor:
        """Keys as they are compared."""
        return self.rotate(key, positions, *parameters)

    def bias(
        self, query: Tensor, key: Tensor, grid: Any, *parameters: Tensor
    ) -> Tensor | None:
        """What is added to the scores of placed queries and keys, (B|1, H|1, T, S)."""
        return None

    def reweigh(self, weights: Tensor, grid: Any, *parameters: Tensor) -> Tensor:
        """Normalized weights (B, H, T, S); keys that stand nowhere come after the S."""
        return weights

    def read(self, weights: Tensor, grid: Any, *parameters: Tensor) -> Tensor | None:
        """What is added to the context, (B, H, T, Dv)."""
        return None

    def __add__(self, other):
        from regard.core.positions.together import Together

        return Together(self, other)
