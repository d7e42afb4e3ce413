"""``ResidualScaledDotProductAttention``: scores go on to the next layer."""

from keras import ops

from regard.compat.keras_self_attention.scaled_dot_attention import (
    ScaledDotProductAttention,
    as_shapes,
    scaled,
    without_hidden_nan,
)
from regard.compat.reader import as_list, register
from regard.core.scores import widen
from regard.layers.inputs import hide
from regard.layers.weights import check_equal_widths

__all__ = ["ResidualScaledDotProductAttention"]


@register("keras_self_attention")
class ResidualScaledDotProductAttention(ScaledDotProductAttention):
    r"""$\mathrm{softmax}(QK^\top / \sqrt{D} + P)\,V$; the sum in brackets is returned.

    Call ``[x (B, T, D), prev (B, T, T)]`` or ``[query, key, value, prev (B, T, S)]``;
    returns the output (B, T, Dv), new_prev (B, T, S) and, with ``return_attention``,
    the weights (B, T, S). ``new_prev`` is taken before anything is hidden.

    He et al. 2020, "RealFormer", arXiv:2012.11747, section 3.1.

    Args:
        return_attention: also return the weights.
        history_only: query i sees keys 0..i, counted from the first.
        faithful: as in the original, hide by subtracting 1e4, so that a query that may
            see no key looks at hidden ones. By default it gives 0. (The original also
            fails where no input has a mask; this works either way.)
        **options: of every layer.

    Raises:
        ValueError: where the inputs are not two or four, or their sizes do not fit.
    """

    mechanism = "ssa_residual"

    def build(self, input_shape):
        query, key, *_ = four(as_shapes(input_shape))
        check_equal_widths(self, query[-1], key[-1])
        self.built = True

    def call(self, inputs, mask=None):
        query, key, value, prior = four(inputs)
        masks = as_list(mask, len(inputs))
        masks = masks[:1] * 2 if len(inputs) == 2 else masks[:2]
        context, weights = self.attend(query, key, value, masks, prior)
        if not self.faithful:
            query = without_hidden_nan(query, self.keep(masks[0], query))
            key = hide(key, self.keep(masks[1], key))
        passed_on = scaled(query[:, None], key[:, None])[:, 0] + widen(prior)
        outputs = (context, ops.cast(passed_on, self.compute_dtype))
        return (*outputs, weights) if self.return_attention else outputs

    def compute_mask(self, inputs, mask=None):
        nothing = (None,) * (2 if self.return_attention else 1)
        return (as_list(mask, 4)[0], *nothing)

    def compute_output_shape(self, input_shape):
        query, key, value, _ = four(input_shape)
        pairs = (*query[:2], key[1])
        shapes = ((*query[:-1], value[-1]), pairs)
        return (*shapes, pairs) if self.return_attention else shapes


def four(inputs):
    """Query, key, value and the scores of the layer before."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 4):
        count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
        raise ValueError(
            f"inputs must be [x, prev] or [query, key, value, prev]. Got {count}."
        )
    return inputs if len(inputs) == 4 else [inputs[0]] * 3 + [inputs[1]]
