"""Question and picture attend to each other at the same time."""

import keras
from keras import ops

from regard.core.scores import widen
from regard.layers.pairs.pairing import Pairing
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class Coattention(Pairing):
    r"""$C = \tanh(Q W_b V^\top)$, $H^v = \tanh(V W_v + C^\top Q W_q)$,
    $H^q = \tanh(Q W_q + C V W_v)$; both sides are pooled by $w_v^\top H^v$ and
    $w_q^\top H^q$.

    The affinity C (B, T, S) carries what each word knows to each region and back, then
    either side is pooled by scores that know the other. Output $[\hat q; \hat v]$,
    (B, Dq + Dv); weights of the value (B, S); those of the query are in the trace.
    ``W_b`` (Dq, Dv), ``W_q`` (Dq, units), ``W_v`` (Dv, units), ``w_q``, ``w_v``
    (units,).

    Lu et al. 2016, "Hierarchical question-image co-attention for visual question
    answering", arXiv:1606.00061, the parallel form.

    Args:
        units: width of the hidden layers.
        normalizer: over either side.
        kernel_initializer, kernel_regularizer, kernel_constraint: of all weights.

    Raises:
        ValueError: where units is not a positive integer or an option is unknown.
    """

    mechanism = "coattention"
    query_shown = False

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = check_units("units", units)

    def add_weights(self, query_width, value_width):
        self.kernel = self.kernel_of("kernel", (query_width, value_width))
        for name, width in (("query", query_width), ("value", value_width)):
            kernel = self.kernel_of(f"{name}_kernel", (width, self.units))
            vector = self.kernel_of(f"{name}_score_vector", (self.units,))
            setattr(self, f"{name}_kernel", kernel)
            setattr(self, f"{name}_score_vector", vector)

    def pair(self, query, value, query_mask, value_mask):
        """Hidden positions are zero and there is no bias: they carry nothing across."""
        turned = ops.swapaxes(value, 1, 2)
        affinity = ops.matmul(widen(ops.matmul(query, self.kernel)), widen(turned))
        affinity = ops.cast(ops.tanh(affinity), query.dtype)  # (B, T, S)
        words = ops.matmul(query, self.query_kernel)
        regions = ops.matmul(value, self.value_kernel)
        about_words = ops.tanh(words + ops.matmul(affinity, regions))
        across = ops.matmul(ops.swapaxes(affinity, 1, 2), words)
        about_regions = ops.tanh(regions + across)
        asked, by_word, _ = self._pool(
            query, about_words, self.query_score_vector, query_mask
        )
        seen, weights, record = self._pool(
            value, about_regions, self.value_score_vector, value_mask
        )
        record["extra"] = {"affinity": affinity, "query_weights": by_word}
        if query_mask is not None:
            record["extra"]["query_mask"] = query_mask
        return ops.concatenate([asked, seen], axis=-1), weights, record

    def _pool(self, inputs, hidden, vector, mask):
        """One side: what is read (B, D), weights (B, S) and the record."""
        asking = ops.ones_like(ops.sum(hidden, axis=1, keepdims=True)) * vector
        read, weights, record = self.look(asking, hidden, inputs, None, mask)
        return read[:, 0], weights[:, 0], record

    def output_shape(self, query_shape, value_shape):
        return (query_shape[0], query_shape[-1] + value_shape[-1])

    def get_config(self):
        return {**super().get_config(), "units": self.units}
