"""A place to look that holds nothing: off-by-one softmax and learned sinks."""

import keras
from keras import ops

from regard.core.normalizers.part import Normalizer, hide, per_head, top_of


class _WithSink(Normalizer):
    """Softmax with one more logit whose weight is thrown away; abstract."""

    distribution = False
    shift_invariant = False

    def with_sink(self, scores, mask, sink):
        """exp(s) / (exp(sink) + sum exp(s)), without overflow."""
        top = ops.maximum(top_of(scores, mask), sink)
        powers = hide(ops.exp(ops.where(_all(mask, scores), scores - top, -1e4)), mask)
        total = ops.sum(powers, axis=-1, keepdims=True) + ops.exp(sink - top)
        return powers / total


def _all(mask, scores):
    return ops.ones_like(scores, dtype="bool") if mask is None else mask


@keras.saving.register_keras_serializable("regard")
class OffByOne(_WithSink):
    r"""$a_j = e^{s_j} / (1 + \sum_k e^{s_k})$: a head may look at nothing.

    Equal to softmax with one more key of score 0 and value 0 (``add_zero_attn`` of
    torch). Rows sum to less than one. Miller 2023, "Attention is off by one"
    (evanmiller.org, a note on the web).
    """

    name = "off_by_one"
    tables = 3.25

    def __call__(self, scores, mask=None, *parameters):
        return self.with_sink(scores, mask, ops.zeros((), scores.dtype))


@keras.saving.register_keras_serializable("regard")
class Sinks(_WithSink):
    r"""$a_j = e^{s_j} / (e^{z_h} + \sum_k e^{s_k})$ with a learned $z_h$ per head (H,).

    $z = 0$ is ``OffByOne``, $z \to -\infty$ softmax.

    OpenAI 2025, gpt-oss model card, arXiv:2508.10925.

    Args:
        sink: where the logits start.
    """

    name = "sinks"
    tables = 3.25

    @property
    def has_weights(self):
        return True

    def __init__(self, sink=0.0):
        self.sink = float(sink)

    def build(self, owner, num_heads, width):
        start = keras.initializers.Constant(self.sink)
        return (owner.add_weight((num_heads,), name="sinks", initializer=start),)

    def __call__(self, scores, mask=None, *parameters):
        sink = ops.cast(per_head(parameters[0]), scores.dtype)
        return self.with_sink(scores, mask, sink)

    def get_config(self):
        return {"sink": self.sink}
