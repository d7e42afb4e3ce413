"""Linformer: the memory is squeezed to a fixed number of rows."""

import keras
from keras import ops

from regard.core.approximate.masked import only, softmax_of
from regard.core.scores import widen
from regard.layers.approximate.approximation import Approximation
from regard.layers.inputs import by_cause
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class LinformerAttention(Approximation):
    r"""$\mathrm{softmax}\big(Q (E^\top K)^\top/\sqrt d\big)\,F^\top V$ in every head.

    ``E`` and ``F`` (maximum_length, rows) mix all positions into a few rows, which
    queries then attend to; they are shared by the heads. A shorter memory uses the
    first positions, and padding adds nothing, but the rows are mixed by place: there is
    no causal form. Weights (B, H, T, rows).

    Wang et al. 2020, "Linformer: self-attention with linear complexity",
    arXiv:2006.04768.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        rows: k, what the memory is squeezed to.
        maximum_length: of the memory.
        share: use E for values too (the paper's key-value sharing).
        **options: use_bias, kernel_ initializer, regularizer and constraint, and those
            of every layer.

    Raises:
        ValueError: where the memory is longer than maximum_length.
    """

    mechanism = "linformer"

    def __init__(
        self, num_heads, key_dim, rows=256, maximum_length=512, share=False, **options
    ):
        super().__init__(num_heads, key_dim, **options)
        self.rows = check_units("rows", rows)
        self.maximum_length = check_units("maximum_length", maximum_length)
        self.share = bool(share)

    def add_weights(self, query_shape, key_shape):
        shape, options = (self.maximum_length, self.rows), self.weight_options
        self.key_rows = self.add_weight(
            shape, name="key_rows_kernel", **options.for_kernel()
        )
        self.value_rows = self.key_rows
        if not self.share:
            self.value_rows = self.add_weight(
                shape, name="value_rows_kernel", **options.for_kernel()
            )

    def read(self, vectors, masks, asked):
        (query, key, value), (query_mask, key_mask) = vectors, masks
        length = key.shape[2]
        if length is not None and length > self.maximum_length:
            raise ValueError(
                f"the memory must be at most maximum_length = {self.maximum_length} "
                f"long. Got {length}. Build the layer with a larger maximum_length."
            )
        keys = squeezed(only(key, key_mask), self.key_rows)
        values = squeezed(value, self.value_rows)
        seen = None
        if key_mask is not None:  # a memory without anything real shows nothing
            seen = ops.any(key_mask, axis=1, keepdims=True)[:, None]
            seen = ops.repeat(seen, self.rows, axis=-1)
        asked = None if query_mask is None else query_mask[:, None]
        weights = softmax_of(query, keys, self.scale, asked, seen)
        more = {}
        if key_mask is not None:  # of the memory, not of the rows that weights are for
            masks = {**by_cause(query_mask, None), "memory": seen[:, None, :, :1]}
            more = {"masks": masks, "extra": {"padding": key_mask}}
        return ops.matmul(weights, values), weights, more

    def weights_shape(self, batch, length, memory):
        return batch, self.num_heads, length, self.rows

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "maximum_length": self.maximum_length,
            "share": self.share,
        }


def squeezed(vectors, mixing):
    """(B, H, S, D) by (length, rows) -> (B, H, rows, D), with the first S positions."""
    vectors = widen(vectors)
    mixing = widen(ops.convert_to_tensor(mixing))[: ops.shape(vectors)[2]]
    return ops.matmul(ops.transpose(mixing), vectors)
