"""The layer of thushv89/attention_keras."""

from keras import ops

from regard.compat.reader import Reader, as_list, register
from regard.core import normalizers, scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head, without_head
from regard.layers.inputs import check_memory, hide

__all__ = ["AttentionLayer"]


@register("attention_keras")
class AttentionLayer(Reader):
    r"""$e_{ij} = V_a^\top \tanh(W_a h_j + U_a s_i)$, softmax over $j$, mix the $h_j$.

    Call ``[encoder_outputs (B, Te, De), decoder_outputs (B, Td, Dd)]``; returns the
    contexts (B, Td, De) and the weights (B, Td, Te). Weights in the original's order:
    ``W_a`` (De, De) acts on the encoder, ``U_a`` (Dd, De) on the decoder, ``V_a``
    (De, 1). The two widths and lengths may differ.

    As in the original, the decoder's states are finished before they are compared: the
    context never enters the recurrence (for that, see ``AttentionDecoder``).

    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, appendix A.1.2, without the recurrence.

    Args:
        faithful: ignore masks, so that padding gets weight like words, as in the
            original. By default hidden encoder steps get weight 0, masked decoder steps
            and examples without any encoder step give zeros, and the contexts carry the
            decoder's mask.
        **options: of every layer.

    Raises:
        ValueError: where the inputs are not a list of two sequences.
    """

    mechanism = "attention_keras"

    def build(self, input_shape):
        encoder, decoder = two(input_shape)
        width = encoder[-1]
        for name, shape in {
            "W_a": (width, width),
            "U_a": (decoder[-1], width),
            "V_a": (width, 1),
        }.items():
            weight = self.add_weight(shape, name=name, initializer="uniform")
            setattr(self, name, weight)
        self.built = True

    def call(self, inputs, mask=None, verbose=False):
        encoder, decoder = two(inputs)
        check_memory(decoder, encoder, encoder)
        keep = asked = None
        if not self.faithful:
            keep, asked = map(self.keep, as_list(mask, 2), (encoder, decoder))
        values = hide(encoder, keep)
        vector = ops.squeeze(ops.convert_to_tensor(self.V_a), -1)
        recipe = Recipe(scores.additive, normalizers.Softmax(), (vector,))
        context, weights = self.read(
            with_head(ops.matmul(hide(decoder, asked), self.U_a)),
            (with_head(ops.matmul(values, self.W_a)), with_head(values)),
            recipe,
            keep,
            asked,
        )
        return without_head(context), without_head(weights)

    def compute_mask(self, inputs, mask=None):
        return None if self.faithful else (as_list(mask, 2)[1], None)

    def compute_output_shape(self, input_shape):
        encoder, decoder = two(input_shape)
        return (*decoder[:2], encoder[-1]), (*decoder[:2], encoder[1])


def two(inputs):
    """Encoder and decoder, or an error that says so."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
        raise ValueError(
            "inputs must be a list of two sequences, [encoder_outputs, "
            f"decoder_outputs]. Got {type(inputs).__name__}."
        )
    return inputs
