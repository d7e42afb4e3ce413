"""Nystromformer: attention through the means of a few segments."""

import keras
from keras import ops

from regard.core.approximate.nystrom import factors, smoothed
from regard.core.scores import widen
from regard.layers.approximate.approximation import Approximation
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class NystromAttention(Approximation):
    r"""$\tilde A V = F A^{+} B\,V$ with three softmaxes through landmarks.

    Landmarks $\tilde Q, \tilde K$ are means of equal segments, of their real positions:
    $F = \mathrm{softmax}(Q\tilde K^\top/\sqrt d)$,
    $A = \mathrm{softmax}(\tilde Q\tilde K^\top/\sqrt d)$,
    $B = \mathrm{softmax}(\tilde Q K^\top/\sqrt d)$; $A^{+}$ comes from a few steps of
    an iteration. Where there are as many landmarks as positions and the inverse has
    converged, it is softmax attention. There is no causal form: means look ahead.

    Xiong et al. 2021, "Nystromformer", arXiv:2102.03902. As there, a
    convolution of the values over time may be added.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        landmarks: m.
        iterations: of the inverse.
        convolution: width of the kernel over the values, odd; None for none.
        whole_batch: start the inverse from the largest column of the whole batch, as
            the authors' first code does; then an example's output depends on its batch.
        **options: use_bias, kernel_ initializer, regularizer and constraint, and those
            of every layer.

    Raises:
        ValueError: for sizes that are not positive, an even convolution, and one where
            query and memory differ in length.
    """

    mechanism = "nystrom"

    def __init__(
        self,
        num_heads,
        key_dim,
        landmarks=64,
        iterations=6,
        convolution=None,
        **options,
    ):
        whole_batch = options.pop("whole_batch", False)
        super().__init__(num_heads, key_dim, **options)
        self.whole_batch = bool(whole_batch)
        self.landmarks = check_units("landmarks", landmarks)
        self.iterations = check_units("iterations", iterations)
        if convolution is not None and check_units("convolution", convolution) % 2 == 0:
            raise ValueError(f"convolution must be odd. Got {convolution!r}.")
        self.convolution = convolution

    def add_weights(self, query_shape, key_shape):
        if self.convolution:
            shape = (self.num_heads, self.convolution)
            options = self.weight_options.for_kernel()
            self.smoothing = self.add_weight(shape, name="smoothing_kernel", **options)

    def read(self, vectors, masks, asked):
        query, key, value = vectors
        options = (self.landmarks, self.iterations, self.whole_batch)
        left, middle, right = factors(query, key, self.scale, options, *masks)
        through = ops.matmul(left, middle)
        context = ops.matmul(through, ops.matmul(right, widen(value)))
        if self.convolution:
            if None not in (query.shape[2], key.shape[2]):
                check_lengths(query.shape[2], key.shape[2])
            kernel = ops.convert_to_tensor(self.smoothing)
            context = context + smoothed(value, kernel)
        weights = ops.matmul(through, right) if asked else None
        return context, weights, {"extra": {"inverse": middle}}

    def get_config(self):
        return {
            **super().get_config(),
            "landmarks": self.landmarks,
            "iterations": self.iterations,
            "convolution": self.convolution,
            "whole_batch": self.whole_batch,
        }


def check_lengths(queries, keys):
    """Values are added to the outputs in their own places."""
    if queries != keys:
        raise ValueError(
            "query and value must have the same length where values are convolved. "
            f"Got {queries} and {keys}."
        )
