"""What layers that read a grid of pairs over its sources share."""

import keras
from keras import ops

from regard.core.grids import hide_cells, prefixes_of
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.images.image_layer import KERNEL_OPTIONS
from regard.layers.inputs import checked
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, fresh


class GridReader(Adaptable, Traceable):
    """Grid (B, T, S, C) in, (B, T, C) out; abstract.

    ``mask`` (B, S) in the call says which sources are real. With ``prefixes`` there is
    a reading for every source place, of the sources up to it: (B, T, S, C). A mechanism
    defines ``read(grid, seen)`` with ``seen`` (B|1, T|1, P|1, S) and P readings.
    """

    has_kernels = True

    def __init__(self, prefixes=False, **options):
        names = KERNEL_OPTIONS if self.has_kernels else ()
        named = {name: options.pop(name, _DEFAULTS[name]) for name in names}
        super().__init__(**options)
        self.prefixes = bool(prefixes)
        self.weight_options = WeightOptions(**named)

    def add_weights(self, channels: int) -> None:
        """Create the weights."""

    def read(self, grid, seen):
        """Readings (B, T, P, C) and a dict for the trace, "weights" (B, T, P, S)."""
        raise NotImplementedError(f"{type(self).__name__} must define read.")

    def scope_masks(self, rows, columns):
        """What the layer's own scope lets each row see (1, T, 1, S), by its cause."""
        return {}

    def build(self, inputs_shape):
        if len(inputs_shape) != 4 or inputs_shape[-1] is None:
            raise ValueError(
                "inputs must be a grid (batch, target, source, channels) with a known "
                f"number of channels. Got {tuple(inputs_shape)}."
            )
        self.add_weights(inputs_shape[-1])
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False):
        batch, rows, columns, _ = sizes_of(inputs)
        mask = checked(mask, "mask", batch, columns)
        grid = hide_cells(inputs, None if mask is None else ops.expand_dims(mask, 1))
        parts = {} if mask is None else {"padding": mask[:, None, None, :]}
        parts |= self.scope_masks(rows, columns)
        if self.prefixes:
            parts["prefixes"] = prefixes_of(columns)[None, None]
        seen = ops.ones((1, 1, 1, columns), dtype="bool")
        for part in parts.values():
            seen = ops.logical_and(seen, part)
        readings, found = self.read(grid, seen)
        readings = ops.cast(readings, self.compute_dtype)
        for listener in self.recorders():
            listener.receive(
                self, {"value": grid, "context": readings, "masks": parts, **found}
            )
        weights = found["weights"]
        if not self.prefixes:
            readings, weights = ops.squeeze(readings, 2), ops.squeeze(weights, 2)
        if return_attention_scores:
            return readings, ops.cast(weights, self.compute_dtype)
        return readings

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        if self.prefixes:
            return tuple(inputs_shape)
        return (*inputs_shape[:2], inputs_shape[-1])

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        output = self.compute_output_shape(inputs.shape)
        columns = inputs.shape[2]
        weights = (*inputs.shape[:3], columns) if self.prefixes else inputs.shape[:3]
        return spec_of_answer(self, return_attention_scores, output, weights)

    def dense(self, name, width, units, activation=None, use_bias=True):
        """A built ``Dense`` over the channels."""
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        layer = keras.layers.Dense(
            units, activation, use_bias, name=name, dtype=self.dtype_policy, **options
        )
        layer.build((None, width))
        return layer

    def get_config(self):
        return {
            **super().get_config(),
            "prefixes": self.prefixes,
            **self.weight_options.config(),
        }


_DEFAULTS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}
