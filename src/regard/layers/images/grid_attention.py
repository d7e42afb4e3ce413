"""Reading a grid by softmax over its sources."""

import keras
from keras import ops

from regard.changing import changes_of
from regard.core import normalizers, scores
from regard.core.attend import Recipe, Visibility, attend
from regard.core.scopes import Grid
from regard.core.shapes import sizes_of
from regard.layers.images.grid_layer import GridReader
from regard.layers.inputs import static_scope
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class GridAttention(GridReader):
    r"""$y_t = \sum_s a_{ts} x_{ts}$ with $a_t = \mathrm{normalizer}_s(w^\top x_{ts} +
    b)$ over the real sources s.

    Grid (B, T, S, C) in, (B, T, C) out; weights (B, T, S). The cell itself is scored
    and read: there are no queries and keys. With ``units`` the score is $w^\top
    \mathrm{act}(W x_{ts} + b_1) + b$; on the bare grid of pairs and with tanh that is
    additive attention. Padding (``mask`` (B, S)) takes no part; a row without a real
    source gives zeros.

    Elbayad, Besacier, Verbeek 2018, "Pervasive attention: 2D convolutional neural
    networks for sequence-to-sequence prediction", arXiv:1808.03867.
    ``Causal(offset=k - 1)`` as scope is the wait-k path: target t reads the first
    t + k sources (Elbayad, Besacier, Verbeek 2020, "Efficient wait-k models for
    simultaneous machine translation").

    Args:
        units, activation: of the hidden layer of the score; None for none.
        normalizer: over the sources.
        scope: which sources a target reads, by rows and columns of the grid.
        prefixes: a reading for every source place, of the sources up to it.
        **options: kernel_ initializer, regularizer, constraint; the options of every
            layer.

    Raises:
        ValueError: where the input is no grid, or an option is wrong.
    """

    mechanism = "grid_attention"

    def __init__(
        self,
        units=None,
        activation=None,
        normalizer="softmax",
        scope=None,
        prefixes=False,
        **options,
    ):
        super().__init__(prefixes, **options)
        self.units = None if units is None else check_units("units", units)
        self.activation = keras.activations.get(activation)
        self.normalizer = normalizers.get(normalizer)
        if self.normalizer.has_weights or not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work on one row and hold no weights for a grid, whose "
                f"rows are of no fixed number. Got {self.normalizer!r}."
            )
        self.scope = None if scope is None else static_scope(scope)

    def add_weights(self, channels):
        if self.units is not None:
            self.hidden = self.dense("hidden", channels, self.units, self.activation)
        self.score = self.dense("score", self.units or channels, 1)

    def scope_masks(self, rows, columns):
        if self.scope is None:
            return {}
        places = ops.arange(rows, dtype="int32")
        allowed = self.scope.allows(Grid.of(rows, columns, places))
        return {self.scope.cause: allowed[None, :, None, :]}

    def read(self, grid, seen):
        hidden = grid if self.units is None else self.hidden(grid)
        logits = scores.widen(self.score(hidden))  # (B, T, S, 1)
        batch, rows, columns, _ = sizes_of(grid)
        readings = columns if self.prefixes else 1
        result = attend(  # every target row as a head, the same query for all
            ops.ones((batch, rows, readings, 1), dtype=logits.dtype),
            logits,
            grid,
            Recipe(scores.dot, self.normalizer, changes=changes_of(self)),
            Visibility({"seen": seen}),
            want=("weights", "scores", "mask"),
        )
        return result.pop("context"), result

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "scope": self.scope and keras.saving.serialize_keras_object(self.scope),
        }
