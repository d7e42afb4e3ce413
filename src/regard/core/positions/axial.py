"""Rotations for images: rows in one half of the features, columns in the other."""

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.positions.rotary import RoPE
from regard.core.scopes import check_integer
from regard.core.shapes import whole_part

__all__ = ["AxialRoPE"]


@keras.saving.register_keras_serializable("regard")
class AxialRoPE(Position):
    r"""RoPE by the row in the first half of the features, by the column in the second.

    A grid read line by line: position p stands in row $\lfloor p / w \rfloor$, column
    $p \bmod w$. Scores of products see the two distances apart. The width of a query
    must be a multiple of 4.

    Heo et al. 2024, "Rotary position embedding for vision transformer",
    arXiv:2403.13298, section 3.2, its axial form.

    Args:
        columns: w, how many places a line has.
        base: of both rotations; the paper takes 100 for images.
        pairing: "half" or "interleaved", within each half.

    Raises:
        ValueError: for a width that is no multiple of 4, or an unknown pairing.
    """

    def __init__(self, columns, base=100.0, pairing="half"):
        self.columns = check_integer("columns", columns, minimum=1)
        self.rope = RoPE(base, pairing)

    def build(self, owner, num_heads, width, value_width=None):
        if width % 4:
            raise ValueError(
                "AxialRoPE turns pairs in both halves of a query, so its width must be "
                f"a multiple of 4. Got {width}."
            )
        return ()

    def rotate(self, vectors, positions, *parameters):
        positions = ops.cast(positions, "int32")
        half = vectors.shape[-1] // 2
        lines = whole_part(positions, self.columns)
        places = positions - lines * self.columns
        return ops.concatenate(
            [
                self.rope.rotate(vectors[..., :half], lines),
                self.rope.rotate(vectors[..., half:], places),
            ],
            axis=-1,
        )

    def get_config(self):
        return {
            "columns": self.columns,
            "base": self.rope.base,
            "pairing": self.rope.pairing,
        }
