"""BiDAF: context to query and query to context."""

import keras
from keras import ops

from regard.core import combinations
from regard.core.normalizers.part import top_of
from regard.core.scores import widen
from regard.layers.pairs.pairing import Pairing
from regard.layers.weights import check_equal_widths

_TERMS = combinations.parse("x,y,x*y")


@keras.saving.register_keras_serializable("regard")
class AttentionFlow(Pairing):
    r"""$s_{ij} = w^\top [h_i; u_j; h_i \odot u_j],\quad
    \tilde u_i = \sum_j a_{ij} u_j,\quad \tilde h = \sum_i b_i h_i$ with
    $b = \mathrm{normalizer}(\max_j s_{ij})$.

    Every word ``h`` of a text (the query) reads the question ``u`` (the value), and
    what of the text matters for any word of the question is read once, the same for
    all places. Output $[h; \tilde u; h \odot \tilde u; h \odot \tilde h]$, (B, T, 4 D);
    weights a (B, T, S); the b (B, T) are in the trace. ``w`` (3 D,).

    Seo et al. 2017, "Bidirectional attention flow for machine comprehension",
    arXiv:1611.01603, the attention flow layer.

    Args:
        normalizer: over the question, and over the text.
        kernel_initializer, kernel_regularizer, kernel_constraint: of w.

    Raises:
        ValueError: where both sides differ in width.
    """

    mechanism = "attention_flow"

    def add_weights(self, query_width, value_width):
        check_equal_widths(self, query_width, value_width)
        self.kernel = self.kernel_of("kernel", (3 * query_width,))

    def pair(self, query, value, query_mask, value_mask):
        parts = ops.split(ops.convert_to_tensor(self.kernel), 3)
        asked = combinations.for_query(query, _TERMS, parts)
        keys = combinations.for_key(value, _TERMS, parts)
        read, weights, record = self.look(asked, keys, value, query_mask, value_mask)
        best = top_of(record["scores"], record["mask"], fixed=False)[:, 0]  # (B, T, 1)
        seen = None if query_mask is None else query_mask[:, None]
        shares = self.normalizer(ops.swapaxes(best, 1, 2), seen)  # (B, 1, T)
        whole = ops.matmul(ops.cast(shares, query.dtype), query)  # (B, 1, D)
        output = [query, read, query * read, query * whole]
        record["extra"] = {"context_weights": widen(shares)[:, 0]}
        return ops.concatenate(output, axis=-1), weights, record

    def output_shape(self, query_shape, value_shape):
        return (*query_shape[:-1], 4 * query_shape[-1])
