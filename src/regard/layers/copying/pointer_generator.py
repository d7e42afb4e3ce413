"""Pointer-generator: a gate shares out between writing and copying."""

import keras
from keras import ops

from regard.core.copying import check_ids, mixture, spread
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.copying.word_head import WordHead
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask


@keras.saving.register_keras_serializable("regard")
class PointerGenerator(WordHead):
    r"""$p_i(w) = g_i\, p^{\mathrm{vocab}}_i(w) + (1 - g_i) \sum_{j:\,w_j = w} a_{ij}$.

    $p^{\mathrm{vocab}}_i = \mathrm{softmax}(x_i W_o + b_o)$ and
    $g_i = \sigma(y_i w_g + b_g)$, with ``x`` queries (B, T, D), ``y`` the gate's input
    (B, T, G), by default x, ``W_o`` (D, V), ``w_g`` (G, 1). The weights ``a`` (B, T, S)
    come from any attention: a decoder's ``return_attention_scores=True``. Words that
    stand in the source twice get the sum of their weights. Output (B, T, V + extra).
    Where a row of weights is empty there is nothing to copy, and g counts as 1.

    See, Liu, Manning 2017, "Get to the point: summarization with pointer-generator
    networks", arXiv:1704.04368, section 2.2. There x is $[s; c]$
    after a linear layer and y is $[c; s; \text{word before}]$.

    Args:
        vocabulary_size: V, the words that can be generated.
        extra_size: ids V..V+extra-1, words of the source outside of the vocabulary.
        forbidden: words of the vocabulary that are never generated, such as padding.
        log: give logarithms, finite everywhere.
        use_bias: add ``b_o`` and ``b_g``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.

    Call arguments:
        query: (B, T, D); attention_weights: (B, T, S), or
            (B, H, T, S), whose heads are averaged.
        ids: whole numbers (B, S), the word at each place; -1 is never copied.
        gate_query: (B, T, G), what the gate reads.
        query_mask: (B, T), True = real.
        return_gate: also return g (B, T, 1).

    Raises:
        ValueError: for a size that is no such number, forbidden words outside of the
            vocabulary, ids that are not whole numbers (batch, length), or weights that
            do not fit.
    """

    mechanism = "pointer_generator"

    def __init__(self, vocabulary_size, forbidden=(), **options):
        super().__init__(vocabulary_size, **options)
        self.forbidden = tuple(forbidden)
        if not all(0 <= word < self.vocabulary_size for word in self.forbidden):
            raise ValueError(
                f"forbidden must hold words from 0 to {self.vocabulary_size - 1}. Got "
                f"{forbidden!r}."
            )

    def build(self, query_shape, gate_query_shape=None):
        gate_shape = query_shape if gate_query_shape is None else gate_query_shape
        self.add_vocabulary(query_shape[-1])
        self.gate_kernel = self.add_kernel("gate_kernel", gate_shape[-1], 1)
        if self.use_bias:
            self.gate_bias = self.add_weight(
                (1,), name="gate_bias", initializer="zeros"
            )
        self.built = True

    def call(
        self,
        query,
        attention_weights,
        ids,
        *,
        gate_query=None,
        query_mask=None,
        return_gate=False,
    ):
        query_mask = join(query_mask, get_keras_mask(query))
        query_mask = checked(query_mask, "query_mask", *sizes_of(query)[:2])
        weights = widen(attention_weights)
        weights = ops.mean(weights, axis=1) if len(weights.shape) == 4 else weights
        self._check(query, weights)
        ids = check_ids(ids, weights.shape[0], weights.shape[-1])
        gate_query = hide(query if gate_query is None else gate_query, query_mask)
        weights = hide(weights, query_mask)
        gate = ops.matmul(gate_query, self.gate_kernel)
        gate = ops.sigmoid(widen(gate + self.gate_bias if self.use_bias else gate))
        full = ops.any(weights != 0, axis=-1, keepdims=True)
        gate = ops.where(full, gate, ops.ones_like(gate))
        generated = self._generated(hide(query, query_mask))
        copied = spread((1 - gate) * weights, ids, self.size)
        output = self.finish(mixture(generated, copied, gate))
        if query_mask is not None:
            set_keras_mask(output, query_mask)
        for listener in self.recorders():
            found = {"weights": weights[:, None], "extra": {"gate": gate, "ids": ids}}
            if query_mask is not None:
                found["masks"] = {"query": query_mask[:, None, :, None]}
            listener.receive(self, found)
        gate = ops.cast(gate, self.compute_dtype)
        return (output, gate) if return_gate else output

    def _generated(self, query):
        logits = self.logits(query)
        words = ops.arange(self.vocabulary_size, dtype="int32")
        allowed = ops.ones_like(words, dtype="bool")
        for word in self.forbidden:
            allowed = ops.logical_and(allowed, words != word)
        lowest = ops.full_like(logits, -1e30)
        return ops.softmax(ops.where(allowed, logits, lowest))

    def _check(self, query, weights):
        known = zip(query.shape[:2], weights.shape[:2], strict=False)
        fits = all(None in pair or pair[0] == pair[1] for pair in known)
        if len(query.shape) != 3 or len(weights.shape) != 3 or not fits:
            raise ValueError(
                "query must have shape (batch, query, width) and attention_weights "
                f"(batch, query, key). Got {tuple(query.shape)} and "
                f"{tuple(weights.shape)}."
            )

    def compute_output_shape(
        self, query_shape, attention_weights_shape=None, ids_shape=None
    ):
        return (*query_shape[:-1], self.size)

    def compute_output_spec(self, query, *args, **options):
        spec = self.spec(query, None, scores=False)
        if not options.get("return_gate"):
            return spec
        shape = (*query.shape[:-1], 1)
        return spec, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "forbidden": list(self.forbidden)}
