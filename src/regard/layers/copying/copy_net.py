"""CopyNet: words to write and words to copy compete in one softmax."""

import keras
from keras import ops

from regard.layers.copying.copy_attention import CopyAttention


@keras.saving.register_keras_serializable("regard")
class CopyNet(CopyAttention):
    r"""$p_i(w) \propto e^{(W_o s_i + b)_w} + \sum_{j:\,w_j = w}
    e^{\tanh(h_j W_c) \cdot s_i}$.

    ``s`` queries (B, T, Dq), ``h`` value (B, S, Dv), ``W_o`` (Dq, V), ``b`` (V,),
    ``W_c`` (Dv, Dq). Output (B, T, V + extra): one distribution over the vocabulary
    and the words of the source; a word that is in both, or in the source twice, gets
    the sum. Where nothing can be copied it is the softmax over the vocabulary.

    Gu, Lu, Li, Li 2016, "Incorporating copying mechanism in sequence-to-sequence
    learning", arXiv:1603.06393. Its selective read is
    ``regard.core.copying.selective_read``.

    Args:
        vocabulary_size: V, the words that can be generated.
        extra_size: ids V..V+extra-1, words of the source outside of the vocabulary.
        activation: of the projected memory; the paper found tanh better than none.
        scope: a static scope, for a memory that is a window of the past.
        log: give logarithms, finite everywhere.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.

    Raises:
        ValueError: for a size that is no such number, ids that are not whole numbers
            (batch, length), or masks of a wrong kind.
    """

    mechanism = "copy_net"

    def __init__(self, vocabulary_size, activation="tanh", **options):
        super().__init__(vocabulary_size, **options)
        self.activation = keras.activations.get(activation)

    def build(self, query_shape, value_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        width = query_shape[-1]
        self.add_vocabulary(width)
        self.copy_kernel = self.add_kernel("copy_kernel", value_shape[-1], width)
        self.built = True

    def ask(self, query):
        return query

    def offer(self, value):
        return self.activation(ops.matmul(value, self.copy_kernel))

    def way_out(self, queries, logits):
        return ops.logsumexp(logits, axis=-1, keepdims=True)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }
