"""The first keras-attention: a softmax Dense, and a product."""

from keras import ops

from regard.layers import FeatureGate
from tests.golden.tools import Applied, adapts


@adapts("keras_gate.dense_softmax_multiply")
def dense_softmax_multiply(case):
    layer = Applied(FeatureGate(normalizer=case.constructor["activation"]))

    def run(t):
        weights = [t["w.attention_probs/kernel"], t["w.attention_probs/bias"]]
        gated, gate = layer(weights, t["in.x"], return_attention_scores=True)
        return {"out.gated": gated, "out.attention_probs": gate}

    return run


@adapts("keras_gate.attention_3d_block")
def attention_3d_block(case):
    """A gate over the times of each feature: the inputs turned, then turned back."""
    layer = Applied(FeatureGate())
    single = case.constructor.get("SINGLE_ATTENTION_VECTOR", False)

    def run(t):
        turned = ops.swapaxes(t["in.x"], 1, 2)
        weights = [t["w.dense/kernel"], t["w.dense/bias"]]
        gated, gate = layer(weights, turned, return_attention_scores=True)
        gated, gate = ops.swapaxes(gated, 1, 2), ops.swapaxes(gate, 1, 2)
        if single:
            gate = ops.mean(gate, axis=2, keepdims=True) * ops.ones_like(gate)
            gated = t["in.x"] * gate
        return {"out.gated": gated, "out.a_probs": gate}

    return run
