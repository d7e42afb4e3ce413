"""uzaymacar/attention-mechanisms: Luong's scores, weighed over the wrong axis."""

from keras import ops

from regard.layers import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    LocationAttention,
    ScaledDotAttention,
)
from tests.golden.tools import Applied, adapts

SCORES = {
    "dot": (lambda t: DotAttention(), lambda t: []),
    "scaled_dot": (lambda t: ScaledDotAttention(), lambda t: []),
    "general": (lambda t: GeneralAttention(), lambda t: [t["w.W_a/kernel"]]),
    "concat": (
        lambda t: AdditiveAttention(t["w.v_a/kernel"].shape[0]),
        lambda t: [t["w.W_a/kernel"], t["w.U_a/kernel"], t["w.v_a/kernel"][:, 0]],
    ),
    "location": (
        lambda t: LocationAttention(t["in.source"].shape[1]),
        lambda t: [t["w.W_a/kernel"]],
    ),
}


@adapts("uzaymacar.Attention", reproduces=True)
def attention(case, faithful):
    """As published every weight is 1: a query that may see one key alone at a time."""
    options = case.constructor
    make, weights_of = SCORES[options.get("score_function", "general")]
    kind = options.get("alignment_type", "global")
    if kind == "local-m":
        raise NotImplementedError("local-m cuts the source by the step of the decoder")

    def run(t):
        source, target = t["in.source"], t["in.target"]
        if len(target.shape) == 3:
            target = target[:, case.call.get("current_timestep", 1) - 1]
        layer = Applied(make(t))
        if faithful:  # every step of the source is a memory of its own
            batch, length, width = source.shape
            alone = ops.reshape(source, (-1, 1, width))
            asking = ops.repeat(target, length, axis=0)[:, None]
            _, weights = layer(
                weights_of(t), asking, alone, return_attention_scores=True
            )
            weights = ops.reshape(weights, (batch, length))
        else:
            _, weights = layer(
                weights_of(t), target[:, None], source, return_attention_scores=True
            )
            weights = weights[:, 0]
        if kind.startswith("local-p"):
            weights = weights * bell(options, t, target, source.shape[1])
        weights = weights[..., None]
        return {"out.context": source * weights, "out.attention": weights}

    return run


def bell(options, t, target, length):
    """The Gaussian around the predicted place."""
    hidden = ops.tanh(ops.matmul(target, t["w.W_p/kernel"]))
    place = length * ops.sigmoid(ops.matmul(hidden, t["w.v_p/kernel"]))  # (B, 1)
    spread = options.get("window_width", 8) / 2
    apart = ops.cast(ops.arange(length), "float32")[None] - place
    return ops.exp(-ops.square(apart) / (2 * spread**2))
