"""The family from softmax to sparsemax and beyond; its exponent may be learnt."""

import keras
from keras import ops

from regard.core.normalizers.part import (
    Normalizer,
    attended,
    hide,
    per_head,
    shifted,
)
from regard.core.normalizers.softmax import Softmax

_STEPS = 30  # halvings of an interval of length 1: below float32's resolution


@keras.saving.register_keras_serializable("regard")
class Entmax(Normalizer):
    r"""$a_j = [(\alpha - 1) s_j - \tau]_+^{1/(\alpha - 1)}$, summing to one.

    $\alpha = 1$ is softmax, 1.5 entmax-1.5, 2 sparsemax; the larger, the sparser. With
    ``learn_alpha`` every head has its own $\alpha = 1 + \sigma(w_h)$ between 1 and 2,
    one weight (H,), starting at ``alpha``. $\tau$ is found by halving an interval, and
    the gradient, that of $\alpha$ included, is exact for the row that was found.

    Peters, Niculae, Martins 2019, arXiv:1905.05702; learned per head: Correia,
    Niculae, Martins 2019, arXiv:1909.00015.

    Args:
        alpha: at least 1; strictly between 1 and 2 where it is learnt.
        learn_alpha: make it a weight per head.

    Raises:
        ValueError: for an alpha out of bounds.
    """

    name = "entmax"
    tables = 8.25

    def __init__(self, alpha=1.5, learn_alpha=False):
        self.alpha, self.learn_alpha = float(alpha), bool(learn_alpha)
        if learn_alpha and not 1 < self.alpha < 2:
            raise ValueError(
                "alpha must lie strictly between 1 and 2 where it is learnt. Got "
                f"{alpha!r}."
            )
        if not self.alpha >= 1:
            raise ValueError(f"alpha must be at least 1. Got {alpha!r}.")

    @property
    def has_weights(self):
        return self.learn_alpha

    def build(self, owner, num_heads, width):
        if not self.learn_alpha:
            return ()
        share = self.alpha - 1.0
        logit = float(ops.convert_to_numpy(ops.log(share / (1.0 - share))))
        start = keras.initializers.Constant(logit)
        return (owner.add_weight((num_heads,), name="alpha_logit", initializer=start),)

    def __call__(self, scores, mask=None, *parameters):
        if not parameters and self.alpha == 1.0:
            return Softmax()(scores, mask)
        alpha = self.alpha
        if parameters:
            alpha = 1.0 + ops.sigmoid(ops.cast(per_head(parameters[0]), scores.dtype))
        return entmax(scores, mask, alpha)

    def get_config(self):
        return {"alpha": self.alpha, "learn_alpha": self.learn_alpha}


def entmax(scores, mask=None, alpha=1.5):
    """The weights for an alpha above 1, a number or a tensor like (…, 1)."""
    alpha = alpha * ops.ones_like(scores[..., :1])
    scaled = (alpha - 1.0) * shifted(scores, mask)  # the largest is 0
    outside = ops.full_like(scaled, -2.0)  # tau lies in [-1, 0)
    if mask is not None:
        scaled = ops.where(mask, scaled, outside)
    scaled = ops.where(scaled < outside, outside, scaled)
    return hide(_entmax(scaled, alpha), attended(scores, mask))


def _root(scaled, threshold, alpha):
    """[x - tau]_+ ^ (1 / (alpha - 1)), with gradient 0 outside."""
    excess = ops.maximum(scaled - threshold, 0.0)
    safe = ops.where(excess > 0, excess, ops.ones_like(excess))
    powers = ops.exp(ops.log(safe) / (alpha - 1.0))
    return ops.where(excess > 0, powers, ops.zeros_like(powers))


def _filled(total):
    """The sum of a row, 1 where the row is empty."""
    return ops.where(total == 0, ops.ones_like(total), total)


@ops.custom_gradient
def _entmax(scaled, alpha):
    """``scaled`` is (alpha - 1) s, its largest entry 0; alpha (…, 1)."""
    low = ops.full_like(alpha, -1.0)  # one entry alone fills the row: sum at least 1
    width = ops.ones_like(alpha)
    for _ in range(_STEPS):
        width = width / 2.0
        middle = low + width
        total = ops.sum(_root(scaled, middle, alpha), axis=-1, keepdims=True)
        low = ops.where(total >= 1.0, middle, low)
    weights = _root(scaled, low, alpha)
    weights = weights / _filled(ops.sum(weights, axis=-1, keepdims=True))

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        inside = weights > 0
        safe = ops.where(inside, weights, ops.ones_like(weights))
        logs = ops.log(safe)
        slopes = ops.where(inside, ops.exp((2.0 - alpha) * logs), 0.0 * safe)
        share = slopes / _filled(ops.sum(slopes, axis=-1, keepdims=True))
        mean = ops.sum(share * upstream, axis=-1, keepdims=True)
        by_score = slopes * (upstream - mean)  # with respect to the scores s
        # The scores are scaled / (alpha - 1): both the explicit alpha and the one
        # inside ``scaled`` are accounted for, the latter by the chain rule outside.
        scores = scaled / (alpha - 1.0)
        entropy = weights * logs
        by_alpha = (weights - share) / (alpha - 1.0) ** 2
        by_alpha = by_alpha - (
            entropy - share * ops.sum(entropy, axis=-1, keepdims=True)
        ) / (alpha - 1.0)
        total_alpha = ops.sum(upstream * by_alpha, axis=-1, keepdims=True)
        through = ops.sum(by_score * scores, axis=-1, keepdims=True) / (alpha - 1.0)
        return by_score / (alpha - 1.0), total_alpha - through

    return weights, gradient
