"""The layer of philipperemy/keras-attention (``attention`` on PyPI)."""

from keras import ops

from regard.compat.reader import Reader, register
from regard.core import normalizers, scores
from regard.core.attend import Recipe
from regard.core.shapes import sizes_of
from regard.layers.inputs import hide
from regard.layers.weights import check_units

__all__ = ["Attention"]


@register("keras_attention")
class Attention(Reader):
    r"""The last step asks, all steps answer: $\tanh(W_c [c; h_T])$.

    $c = \sum_s a_s h_s,\ a = \mathrm{softmax}(e)$, with $e_s = h_T^\top (W h_s)$
    ("luong") or $e_s = v^\top \tanh(W_1 h_T + W_2 h_s)$ ("bahdanau"), no bias anywhere.
    Input (B, T, D) of any length, output (B, units). Weights in the original's order:
    ``luong_w`` (D, D), or ``bahdanau_v`` (D, 1), ``bahdanau_w1``, ``bahdanau_w2``
    (D, D); then ``attention_vector`` (2D, units).

    Luong, Pham, Manning 2015, arXiv:1508.04025, sections 3 and 3.1; as a summary of one
    sequence it is the package's own.

    Args:
        units: width of the output.
        score: "luong" or "bahdanau".
        return_attention: also return the weights (B, T); the original has no way to.
        faithful: ignore masks, so that with padding at the end the query is a padded
            step and padding gets weight, as in the original. By default the query is
            the last real step, hidden steps get weight 0, and an example without any
            step gives zeros.
        **options: of every layer.

    Raises:
        ValueError: where units is not a positive integer or score is unknown.
    """

    mechanism = "keras_attention"
    SCORE_LUONG = "luong"
    SCORE_BAHDANAU = "bahdanau"

    def __init__(
        self,
        units=128,
        score="luong",
        return_attention=False,
        faithful=False,
        **options,
    ):
        super().__init__(faithful, **options)
        if score not in (self.SCORE_LUONG, self.SCORE_BAHDANAU):
            raise ValueError(f'score must be "luong" or "bahdanau". Got {score!r}.')
        self.units = check_units("units", units)
        self.score = score
        self.return_attention = bool(return_attention)

    def build(self, input_shape):
        width = input_shape[-1]
        if self.score == self.SCORE_LUONG:
            shapes = {"luong_w": (width, width)}
        else:
            shapes = {
                "bahdanau_v": (width, 1),
                "bahdanau_w1": (width, width),
                "bahdanau_w2": (width, width),
            }
        shapes["attention_vector"] = (2 * width, self.units)
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape, name=name))
        self.built = True

    def call(self, inputs, mask=None):
        keep = None if self.faithful else self.keep(mask, inputs)
        values = hide(inputs, keep)
        last = last_step(values, keep)  # (B, 1, D)
        query, key, recipe = self._compare(last, values)
        context, weights = self.read(
            query[:, None], (key[:, None], values[:, None]), recipe, keep
        )
        joined = ops.concatenate([context[:, 0], last], axis=-1)[:, 0]
        output = ops.tanh(ops.matmul(joined, self.attention_vector))
        return (output, weights[:, 0, 0]) if self.return_attention else output

    def _compare(self, last, values):
        """Projected query (B, 1, D) and keys (B, S, D), and how they are compared."""
        softmax = normalizers.Softmax()
        if self.score == self.SCORE_LUONG:
            key = ops.matmul(values, self.luong_w)
            return last, key, Recipe(scores.dot, softmax)
        vector = ops.squeeze(ops.convert_to_tensor(self.bahdanau_v), -1)
        recipe = Recipe(scores.additive, softmax, (vector,))
        query = ops.matmul(last, self.bahdanau_w1)
        return query, ops.matmul(values, self.bahdanau_w2), recipe

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], self.units)
        return (shape, tuple(input_shape[:2])) if self.return_attention else shape

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "score": self.score,
            "return_attention": self.return_attention,
        }


def last_step(values, keep):
    """The last step that is real, (B, 1, D); where there is none, zeros."""
    if keep is None:
        return values[:, -1:]
    length = sizes_of(values)[1]
    numbers = ops.where(keep, ops.arange(length, dtype="int32"), -1)
    last = ops.max(numbers, axis=1, keepdims=True)  # (B, 1)
    chosen = ops.logical_and(numbers == last, keep)
    picked = ops.where(chosen[..., None], values, ops.zeros_like(values))
    return ops.sum(picked, axis=1, keepdims=True)
