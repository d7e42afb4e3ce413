"""A convolution over a grid of pairs that sees no later target."""

import keras
from keras import ops

from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class GridConvolution(keras.layers.Layer):
    r"""$y_{ts} = b + \sum_{u=0}^{R-1} \sum_v k_{uv} x_{t-u, s+v}$ on (B, T, S, C).

    The kernel (R, columns, C, filters) reaches R - 1 target rows back and none ahead,
    and to both sides along the source. A square kernel k x k whose later rows are
    masked, as in Elbayad et al. 2018, is one with R = k // 2 + 1 rows.

    ``step`` gives one row more from the last R - 1 rows before it.

    Args:
        filters: channels out.
        rows, columns: size of the kernel.
        **options: of ``Conv2D`` and of every layer.
    """

    def __init__(self, filters, rows=3, columns=5, **options):
        kernel = {k: options.pop(k) for k in tuple(options) if k.startswith("kernel_")}
        super().__init__(**options)
        self.filters = check_units("filters", filters)
        self.rows = check_units("rows", rows)
        self.columns = check_units("columns", columns)
        self.convolution = keras.layers.Conv2D(
            self.filters,
            (self.rows, self.columns),
            data_format="channels_last",
            name="convolution",
            dtype=self.dtype_policy,
            **kernel,
        )

    def build(self, inputs_shape):
        self.convolution.build((None, None, None, inputs_shape[-1]))
        self.built = True

    def call(self, inputs):
        sides = ((self.columns - 1) // 2, self.columns // 2)
        above = (self.rows - 1, 0)
        return self.convolution(ops.pad(inputs, ((0, 0), above, sides, (0, 0))))

    def before(self, batch, columns):
        """The rows before the first, (B, R - 1, S, C): zeros."""
        channels = self.convolution.input_spec.axes[-1]
        shape = (batch, self.rows - 1, columns, channels)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def step(self, row, before):
        """One row (B, 1, S, C) and the rows before it: the output row, the new rows."""
        rows = ops.concatenate([before, row], axis=1)
        sides = ((self.columns - 1) // 2, self.columns // 2)
        output = self.convolution(ops.pad(rows, ((0, 0), (0, 0), sides, (0, 0))))
        return output, rows[:, 1:]

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.filters)

    def get_config(self):
        kernel = self.convolution.get_config()
        return {
            **super().get_config(),
            "filters": self.filters,
            "rows": self.rows,
            "columns": self.columns,
            **{k: v for k, v in kernel.items() if k.startswith("kernel_in")},
            **{k: kernel[k] for k in ("kernel_regularizer", "kernel_constraint")},
        }
