"""Pervasive attention: convolutions over the grid of all target-source pairs."""

import keras
from keras import ops

from regard.core.grids import hide_cells, pair_grid, visible_cells
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.images.gated_grid_pooling import GatedGridPooling
from regard.layers.images.grid_attention import GridAttention
from regard.layers.images.grid_layer import GridReader
from regard.layers.images.grid_network import KINDS, GridNetwork
from regard.layers.images.grid_pooling import GridPooling
from regard.layers.images.image_layer import KERNEL_OPTIONS, one_of
from regard.layers.inputs import (
    by_cause,
    check_memory,
    check_sequences,
    checked,
    hide,
    join,
)
from regard.layers.keras_internals import (
    computing_in,
    get_keras_mask,
    set_keras_mask,
)
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units, fresh

READERS = ("max", "average", "gated_max", "attention")


@keras.saving.register_keras_serializable("regard")
class PervasiveAttention(Adaptable, Traceable):
    r"""$y_t = \mathrm{read}_s\,\mathrm{network}([q_t; v_s])$ over a grid of pairs.

    Every pair of a target and a source place is a cell with both vectors; ``depth``
    convolutions see neighbouring cells, earlier targets among them but never later
    ones, and at the end one reads over the sources. Query (B, T, Dq) and value
    (B, S, Dv) in, (B, T, C) out with C = Dq + Dv + depth*units ("dense") or units
    ("residual"); weights (B, T, S). Padded sources are zero for every convolution and
    take no part in the reading; so are masked queries.

    Elbayad, Besacier, Verbeek 2018, "Pervasive attention: 2D convolutional neural
    networks for sequence-to-sequence prediction", arXiv:1808.03867. The
    paper normalizes over the batch, which in training lets later targets through; here
    each cell is normalized by itself. Memory is T*S*C.

    Args:
        units: channels that each block adds or has.
        depth: number of blocks.
        kernel_size: k, odd; the kernel has k // 2 + 1 target rows and k sources.
        kind: "dense" or "residual".
        reader: "max", "average", "gated_max" or "attention", or a layer that reads a
            grid, such as ``GridAttention(8, "tanh")``.
        dropout, seed: of the output of each block.
        **options: kernel_ initializer, regularizer, constraint; the options of every
            layer.

    Raises:
        ValueError: where an option is wrong or the inputs do not fit.
    """

    mechanism = "pervasive"

    def __init__(
        self,
        units,
        depth=2,
        kernel_size=3,
        kind="dense",
        reader="max",
        dropout=0.0,
        seed=None,
        **options,
    ):
        named = {name: options.pop(name, _DEFAULTS[name]) for name in KERNEL_OPTIONS}
        super().__init__(**options)
        self.units, self.depth = check_units("units", units), depth
        if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
            raise ValueError(f"depth must be 0 or a positive integer. Got {depth!r}.")
        if check_units("kernel_size", kernel_size) % 2 == 0:
            raise ValueError(f"kernel_size must be odd. Got {kernel_size}.")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1). Got {dropout!r}.")
        self.kernel_size, self.dropout, self.seed = kernel_size, float(dropout), seed
        self.kind = one_of("kind", kind, KINDS)
        # Only a name is kept here: a layer in two attributes would be saved once.
        self.reader = reader if isinstance(reader, str) else None
        self.weight_options = WeightOptions(**named)
        kernel = (kernel_size // 2 + 1, kernel_size, self._kernel_options)
        self.network = GridNetwork(
            self.kind,
            depth,
            self.units,
            kernel,
            (self.dropout, seed),
            name="network",
            dtype=self.dtype_policy,
        )
        self.reading = self._reading(reader)
        self.supports_masking = True

    def _reading(self, reader):
        """The layer that reads the grid, by name or as it was given."""
        if isinstance(reader, dict):
            reader = keras.saving.deserialize_keras_object(reader)
        if isinstance(reader, GridReader):
            if reader.prefixes:
                raise ValueError(
                    "reader must give one reading a target. Got prefixes=True."
                )
            return reader
        made = {"name": "reading", "dtype": self.dtype_policy}
        if one_of("reader", reader, READERS) == "attention":
            return GridAttention(**made, **self._kernel_options())
        if reader == "gated_max":
            return GatedGridPooling(**made, **self._kernel_options())
        return GridPooling(reader, **made)

    def _kernel_options(self):
        return {k: fresh(v) for k, v in self.weight_options.options.items()}

    def build(self, query_shape, value_shape):
        check_sequences(query=query_shape, value=value_shape)
        width = query_shape[-1] + value_shape[-1]
        self.network.build((None, None, None, width))
        if not self.reading.built:  # one that comes from a file is
            self.reading.build((None, None, None, self.network.output_width(width)))
        self.built = True

    def reports_for(self):
        return (self.reading,)

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        check_memory(query, value, value)
        batch, length = sizes_of(query)[:2]
        query_mask = join(query_mask, get_keras_mask(query))
        query_mask = checked(query_mask, "query_mask", batch, length)
        value_mask = join(value_mask, get_keras_mask(value))
        value_mask = checked(value_mask, "value_mask", batch, sizes_of(value)[1])
        cells = visible_cells(query_mask, value_mask)
        grid = pair_grid(hide(query, query_mask), hide(value, value_mask))
        grid = self.network(hide_cells(grid, cells), cells, training=training)
        output, weights = self._read(grid, value_mask)
        if query_mask is not None:
            shown = ops.expand_dims(query_mask, -1)
            output = ops.where(shown, output, ops.zeros_like(output))
            weights = ops.where(shown, weights, ops.zeros_like(weights))
            set_keras_mask(output, query_mask)
        for listener in self.recorders():
            masks = by_cause(query_mask, value_mask)
            found = {"weights": weights[:, None], "context": output[:, None]}
            listener.receive(self, {**found, "masks": masks, "extra": {"grid": grid}})
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def _read(self, grid, mask):
        return self.reading(grid, mask=mask, return_attention_scores=True)

    # Recurrent use -------------------------------------------------------------------

    def prepare(self, value, key=None, value_mask=None):
        """The memory of a source: ``value`` (B, S, Dv) and ``mask`` (B, S)."""
        if key is not None:
            raise ValueError("key must be None: a grid has no keys. Got a tensor.")
        if getattr(self.reading, "scope", None) is not None:
            raise ValueError(
                "the reader must have no scope to take single steps, which do not know "
                f"their row. Got {self.reading.scope!r}."
            )
        batch, length = sizes_of(value)[:2]
        value_mask = join(value_mask, get_keras_mask(value))
        mask = checked(value_mask, "value_mask", batch, length)
        value = ops.cast(hide(value, mask), self.compute_dtype)
        if mask is None:
            mask = ops.ones((batch, length), dtype="bool")
        return {"value": value, "mask": mask}

    def initial_state(self, memory):
        """The rows before the first target, for each convolution (B, rows, S, C)."""
        batch, length = sizes_of(memory["mask"])
        rows = self.network.before(batch, length)
        return {f"rows_{index}": each for index, each in enumerate(rows)}

    def step(self, query, memory, state):
        """One target (B, Dq) more; pure.

        Returns ``context (B, C)``, ``weights (B, 1, S)`` and the next state.
        """
        with computing_in(self):
            query = ops.expand_dims(ops.cast(query, self.compute_dtype), 1)
            value = ops.cast(memory["value"], self.compute_dtype)
            mask = ops.cast(memory["mask"], "bool")
            cells = visible_cells(None, mask)
            row = hide_cells(pair_grid(query, value), cells)
            before = [state[f"rows_{index}"] for index in range(self.depth)]
            grid, after = self.network.step(row, cells, before)
            output, weights = self._read(grid, mask)
        state = {
            f"rows_{index}": ops.cast(each, state[f"rows_{index}"].dtype)
            for index, each in enumerate(after)
        }
        return ops.squeeze(output, 1), weights, state

    # Keras ---------------------------------------------------------------------------

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape):
        width = self.network.output_width(query_shape[-1] + value_shape[-1])
        return (*query_shape[:-1], width)

    def compute_output_spec(self, query, value, **kwargs):
        output = self.compute_output_shape(query.shape, value.shape)
        weights = (query.shape[0], query.shape[1], value.shape[1])
        asked = kwargs.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "depth": self.depth,
            "kernel_size": self.kernel_size,
            "kind": self.kind,
            "reader": self.reader
            if self.reader is not None
            else keras.saving.serialize_keras_object(self.reading),
            "dropout": self.dropout,
            "seed": self.seed,
            **self.weight_options.config(),
        }


_DEFAULTS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}
