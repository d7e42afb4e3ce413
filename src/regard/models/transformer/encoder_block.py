"""A block that reads a sequence in all directions."""

import keras

from regard.layers.inputs import hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.models.transformer.block import Block


@keras.saving.register_keras_serializable("regard")
class TransformerEncoderBlock(Block):
    r"""Self-attention, then a feed-forward network, each with residual and norm.

    Pre-norm (the default): $x \leftarrow x + f(\mathrm{norm}(x))$; post-norm, as in the
    paper: $x \leftarrow \mathrm{norm}(x + f(x))$. Input and output (B, T, D). Positions
    are the attention's: ``MultiHeadAttention(..., position=RoPE())``.

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.1;
    pre-norm: Xiong et al. 2020, arXiv:2002.04745, section 3.

    Args:
        attention: an attention layer of ``regard.layers`` whose output is as wide as
            its query.
        feed_forward: the width between, or a layer (B, T, D) -> (B, T, D).
        norm: a layer after which the norms are made, by default
            ``LayerNormalization(epsilon=1e-6)``.
        pre_norm: whether norms come before the sublayers.
        dropout: of what each sublayer adds, while training.

    Call arguments:
        inputs: (B, T, D).
        inputs_mask: (B, T), True = real. An implicit Keras mask is honoured too, and
            both reach the output, so every block of a stack hides the same places.
        attention_mask: (T, T), (B, T, T), (B, H, T, T) or a scope.
        return_attention_scores: also return the attention's weights.

    Raises:
        ValueError: where attention is no attention or of another width.
    """

    def build(self, inputs_shape):
        self.build_sublayers(inputs_shape)
        self.built = True

    def call(
        self,
        inputs,
        inputs_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        mask = join(inputs_mask, get_keras_mask(inputs))
        found = []

        def attend(x):
            output, weights = self.attention(
                x,
                query_mask=mask,
                value_mask=mask,
                attention_mask=attention_mask,
                return_attention_scores=True,
                training=training,
            )
            found.append(weights)
            return output

        x = self.residual(hide(inputs, mask), self.attention_norm, attend, training)
        x = self.residual(x, self.feed_forward_norm, self.feed_forward, training)
        if mask is not None:
            set_keras_mask(x, mask)
        return (x, *found) if return_attention_scores else x

    def compute_output_shape(self, inputs_shape):
        return inputs_shape
