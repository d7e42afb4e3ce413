"""``ScaledDotProductAttention`` of queries, keys and values given."""

from keras import ops

from regard.compat.keras_self_attention.penalties import penalty
from regard.compat.reader import Reader, as_list, numbered, register, spread
from regard.core import normalizers, scores
from regard.core.attend import Recipe, standard_scale
from regard.core.scopes import Causal
from regard.core.shapes import sizes_of, with_head, without_head
from regard.layers.inputs import check_memory, hide
from regard.layers.weights import check_equal_widths

__all__ = ["ScaledDotProductAttention", "scaled"]


@register("keras_self_attention")
class ScaledDotProductAttention(Reader):
    r"""$\mathrm{softmax}(QK^\top / \sqrt{D})\,V$, no weights.

    Call x (B, T, D) or ``[query (B, T, D), key (B, S, D), value (B, S, Dv)]``; output
    (B, T, Dv) and, with ``return_attention``, the weights (B, T, S). Of a list's masks
    the key's hides keys and the query's goes on with the output.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1.

    Args:
        return_attention: also return the weights.
        history_only: query i sees keys 0..i, counted from the first.
        faithful: as in the original, hide by subtracting 1e4, so that a query that may
            see no key looks at hidden ones. By default it gives 0.
        **options: of every layer.

    Raises:
        ValueError: where the inputs are not one or three, or their sizes do not fit.
    """

    mechanism = "ssa_scaled_dot"

    def __init__(
        self, return_attention=False, history_only=False, faithful=False, **options
    ):
        super().__init__(faithful, **options)
        self.return_attention = bool(return_attention)
        self.history_only = bool(history_only)

    def build(self, input_shape):
        query, key, _ = three(as_shapes(input_shape))
        check_equal_widths(self, query[-1], key[-1])
        self.built = True

    def call(self, inputs, mask=None):
        query, key, value = three(inputs)
        masks = as_list(mask, 3)[:2]
        context, weights = self.attend(query, key, value, masks)
        return (context, weights) if self.return_attention else context

    def attend(self, query, key, value, masks, prior=None):
        """Context (B, T, Dv) and weights (B, T, S); ``prior`` is added to scores.

        As in the original, masks hide keys, and a masked query still asks.
        """
        check_memory(query, value, key)
        asked, keep = map(self.keep, masks, (query, key))
        scope = Causal(offset=0) if self.history_only else None
        bias = None if prior is None else prior[:, None]
        if self.faithful:
            lengths = sizes_of(query)[1], sizes_of(key)[1]
            bias = plus(bias, self._penalties(keep, scope, lengths))
            keep = scope = None
        else:
            value, poison = spread(value, keep, scope)
            key, key_poison = spread(key, keep, scope)
            bias = plus(plus(bias, poison), key_poison)
            query = without_hidden_nan(query, asked)
        recipe = Recipe(scaled, normalizers.Softmax())
        memory = with_head(key), with_head(value)
        context, weights = self.read(
            with_head(query), memory, recipe, keep, None, scope, bias
        )
        return without_head(context), without_head(weights)

    @staticmethod
    def _penalties(keep, scope, lengths):
        """Both reasons to hide subtract; broadcasts to (B, 1, T, S)."""
        total = None
        if scope is not None:
            total = penalty(scope.allows(numbered(*lengths)))[None, None]
        if keep is not None:
            total = plus(total, penalty(keep)[:, None, None])
        return total

    def compute_mask(self, inputs, mask=None):
        mask = as_list(mask, 3)[0]
        return (mask, None) if self.return_attention else mask

    def compute_output_shape(self, input_shape):
        query, key, value = three(as_shapes(input_shape))
        shape = (*query[:-1], value[-1])
        return (shape, (*query[:2], key[1])) if self.return_attention else shape

    def get_config(self):
        return {
            **super().get_config(),
            "return_attention": self.return_attention,
            "history_only": self.history_only,
        }


def scaled(query, key):
    """The score: (B, H, T, D), (B, H, S, D) -> (B, H, T, S)."""
    return scores.scaled_dot(query, key, standard_scale(query.shape[-1]))


def without_hidden_nan(query, asked):
    """Zero what is masked and not finite, or it would spoil every key's gradient."""
    if asked is None:
        return query
    fine = ops.logical_or(asked, ops.all(ops.isfinite(query), axis=-1))
    return hide(query, fine)


def plus(first, second):
    """The sum, where either may be absent."""
    if first is None or second is None:
        return second if first is None else first
    return ops.add(first, second)


def as_shapes(shape):
    """One shape, or a list of them."""
    return shape if isinstance(shape[0], (list, tuple)) else [shape]


def three(inputs):
    """Query, key and value; one input is all three."""
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    if len(inputs) not in (1, 3):
        raise ValueError(
            f"inputs must be x or [query, key, value]. Got a list of {len(inputs)}."
        )
    return inputs if len(inputs) == 3 else [inputs[0]] * 3
