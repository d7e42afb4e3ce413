"""allennlp's matrix attentions: one vector asks, weights are the answer."""

import keras
from keras import ops

from regard.layers import (
    AdditiveAttention,
    CosineAttention,
    GeneralAttention,
    ScaledDotAttention,
)
from tests.golden.tools import Applied, adapts, refuse_options


def pointed(case, layer, weights, **arguments):
    """A run that returns the weights of one query."""
    refuse_options(case, normalize=(True,))
    applied = Applied(layer)

    def run(t):
        call = {name: make(t) for name, make in arguments.items()}
        _, attention = applied(
            weights(t),
            t["in.vector"][:, None],
            t["in.matrix"],
            value_mask=t.get("in.matrix_mask"),
            return_attention_scores=True,
            **call,
        )
        return {"out.attention": attention[:, 0]}

    return run


@adapts("allennlp.AdditiveAttention")
def additive(case):
    layer = AdditiveAttention(case.arrays["w._w_matrix"].shape[1])

    def weights(t):
        return [t["w._w_matrix"], t["w._u_matrix"], t["w._v_vector"][:, 0]]

    return pointed(case, layer, weights)


@adapts("allennlp.BilinearAttention")
def bilinear(case):
    refuse_options(case, activation=(None, "linear"))

    def weights(t):
        return [t["w._weight_matrix"]]

    return pointed(case, GeneralAttention(), weights, bias=lambda t: t["w._bias"])


@adapts("allennlp.CosineAttention")
def cosine(case):
    layer = CosineAttention(sharpness=1.0, learn_sharpness=False)
    return pointed(case, layer, lambda t: [ops.ones(())])


@adapts("allennlp.ScaledDotProductAttention")
def scaled_dot(case):
    factor = case.constructor.get("scaling_factor")
    layer = ScaledDotAttention(learn_scale=factor is not None)
    scale = [] if factor is None else [keras.ops.full((), 1.0 / factor)]
    return pointed(case, layer, lambda t: scale)
