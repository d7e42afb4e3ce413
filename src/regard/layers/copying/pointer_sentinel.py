"""Pointer sentinel: how much a learned vector is looked at decides what is copied."""

import keras
from keras import ops

from regard.core.products import squashed
from regard.core.scores import widen
from regard.layers.copying.copy_attention import CopyAttention


@keras.saving.register_keras_serializable("regard")
class PointerSentinel(CopyAttention):
    r"""$p_i(w) = g_i\, p^{\mathrm{vocab}}_i(w) + \sum_{j:\,w_j = w} a_{ij}$, where
    $[a_i; g_i] = \mathrm{softmax}([q_i^\top h_j; q_i^\top s])$.

    $q_i = \tanh(x_i W + b)$ with ``x`` queries (B, T, Dq) and ``W`` (Dq, Dv); ``h``
    value (B, S, Dv); the sentinel ``s`` (Dv,); $p^{\mathrm{vocab}}$ is the softmax of
    $x_i W_o + b_o$, ``W_o`` (Dq, V). Output (B, T, V + extra). The weight that the
    sentinel gets is the share of the vocabulary, so no other gate is needed.

    In the paper the memory is the last L hidden states of the language model itself:
    ``PointerSentinel(V, scope=Window(L - 1))(states, ids=words)``.

    Merity, Xiong, Bradbury, Socher 2016, "Pointer sentinel mixture models",
    arXiv:1609.07843.

    Args:
        vocabulary_size: V, the words that can be generated.
        extra_size: ids V..V+extra-1, which can be copied only.
        scope: a static scope, such as the window of the paper.
        log: give logarithms, finite everywhere.
        use_bias: add ``b`` and ``b_o``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.

    Raises:
        ValueError: for a size that is no such number, ids that are not whole numbers
            (batch, length), or masks of a wrong kind.
    """

    mechanism = "pointer_sentinel"

    def build(self, query_shape, value_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        width = value_shape[-1]
        self.add_vocabulary(query_shape[-1])
        self.query_kernel = self.add_kernel("query_kernel", query_shape[-1], width)
        if self.use_bias:
            self.query_bias = self.add_weight(
                (width,), name="query_bias", initializer="zeros"
            )
        self.sentinel = self.add_weight(
            (width,), name="sentinel", initializer="glorot_uniform"
        )
        self.built = True

    def ask(self, query):
        bias = self.query_bias if self.use_bias else None
        return squashed(query, self.query_kernel, bias)

    def way_out(self, queries, logits):
        sentinel = widen(ops.convert_to_tensor(self.sentinel))
        return ops.sum(widen(queries) * sentinel, axis=-1, keepdims=True)
