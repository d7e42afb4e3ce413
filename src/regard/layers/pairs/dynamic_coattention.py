"""The coattention encoder of dynamic coattention networks."""

import keras
from keras import ops

from regard.core.shapes import sizes_of
from regard.layers.pairs.pairing import Pairing
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class DynamicCoattention(Pairing):
    r"""$Q' = \tanh(W Q + b)$, $L = D Q'^\top$; $C^Q = \mathrm{n}(L^\top) D$,
    $C^D = \mathrm{n}(L) [Q'; C^Q]$, n the normalizer.

    Every word of the question (the value) reads the document (the query), and every
    word of the document then reads the question *with* what it found. Either side ends
    in a learned sentinel, a place to look when nothing fits. Output $[D; C^D]$,
    (B, T, 3 D), in the paper the input of a recurrent layer; weights (B, T, S) without
    the sentinel, so a row sums to less than one. ``W`` (D, D), ``b`` (D,), the
    sentinels (D,).

    Xiong, Zhong, Socher 2017, "Dynamic coattention networks for question answering",
    arXiv:1611.01604, sections 2.1 and 2.2.

    Args:
        normalizer: of both directions.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W.

    Raises:
        ValueError: where both sides differ in width.
    """

    mechanism = "dynamic_coattention"

    def add_weights(self, query_width, value_width):
        check_equal_widths(self, query_width, value_width)
        self.projection = self.dense_of("question", value_width, value_width, "tanh")
        start = "glorot_uniform"
        for name in ("query", "value"):
            weight = self.add_weight(
                (query_width,), name=f"{name}_sentinel", initializer=start
            )
            setattr(self, f"{name}_sentinel", weight)

    def pair(self, query, value, query_mask, value_mask):
        question = self.projection(value)
        words, words_mask = with_sentinel(query, self.query_sentinel, query_mask)
        asked, asked_mask = with_sentinel(question, self.value_sentinel, value_mask)
        found, _, _ = self.look(asked, words, words, None, words_mask)
        both = ops.concatenate([asked, found], axis=-1)  # (B, S + 1, 2 D)
        read, weights, record = self.look(query, asked, both, query_mask, asked_mask)
        output = ops.concatenate([query, read], axis=-1)
        return output, weights[..., :-1], record

    def output_shape(self, query_shape, value_shape):
        return (*query_shape[:-1], 3 * query_shape[-1])


def with_sentinel(vectors, sentinel, mask):
    """One more place at the end, which is always visible."""
    batch, _, width = sizes_of(vectors)
    last = ops.cast(ops.reshape(sentinel, (1, 1, width)), vectors.dtype)
    last = ops.broadcast_to(last, (batch, 1, width))
    if mask is not None:
        mask = ops.concatenate([mask, ops.ones_like(mask[:, :1])], axis=1)
    return ops.concatenate([vectors, last], axis=1), mask
