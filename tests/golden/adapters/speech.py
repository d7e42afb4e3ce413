"""Content-based attention of speech recognisers: speechbrain, ESPnet."""

from keras import ops

from regard.layers import AdditiveAttention, DotAttention, ScaledDotAttention
from tests.golden.tools import Applied, adapts, linear, within


@adapts("speechbrain.ContentBasedAttention")
def content_based(case):
    layer = Applied(AdditiveAttention(case.constructor["attn_dim"], use_bias=True))
    scaling = case.constructor.get("scaling", 1.0)

    def run(t):
        states = t["in.enc_states"]
        context, attention = layer(
            mlp_weights(t, t["w.mlp_attn.weight"][0] * scaling),
            t["in.dec_states"],
            states,
            value_mask=within(t.get("in.enc_len"), states.shape[1]),
            return_attention_scores=True,
        )
        context = linear(t, "w.mlp_out", context)
        return {"out.context": context, "out.attention": attention}

    return run


def mlp_weights(t, vector):
    """Two linear maps, whose biases add up, and a vector."""
    biases = [t[f"w.{n}.bias"] for n in ("mlp_enc", "mlp_dec") if f"w.{n}.bias" in t]
    return [
        ops.transpose(t["w.mlp_dec.weight"]),
        ops.transpose(t["w.mlp_enc.weight"]),
        vector,
        sum(biases) if biases else ops.zeros_like(vector),
    ]


@adapts("speechbrain.KeyValueAttention")
def key_value(case):
    layer = Applied(ScaledDotAttention())

    def run(t):
        states = t["in.enc_states"]
        context, attention = layer(
            [],
            linear(t, "w.query_linear", t["in.dec_states"]),
            linear(t, "w.value_linear", states),
            linear(t, "w.key_linear", states),
            value_mask=within(t.get("in.enc_len"), states.shape[1]),
            return_attention_scores=True,
        )
        return {"out.context": context, "out.attention": attention}

    return run


def sharpness(case):
    """ESPnet multiplies scores by 2 unless told otherwise."""
    scaling = case.call.get("scaling", "default")
    return 2.0 if scaling == "default" else float(scaling)


@adapts("espnet.AttAdd")
def espnet_add(case):
    layer = Applied(AdditiveAttention(case.constructor["att_dim"], use_bias=True))

    def run(t):
        vector = t["w.gvec.weight"][0] * sharpness(case)
        arguments = {"bias": t["w.gvec.bias"] * sharpness(case)}
        return espnet(layer, mlp_weights(t, vector), t, t["in.dec_z"], None, arguments)

    return run


@adapts("espnet.AttDot")
def espnet_dot(case):
    layer = Applied(DotAttention())

    def run(t):
        query = ops.tanh(linear(t, "w.mlp_dec", t["in.dec_z"])) * sharpness(case)
        key = ops.tanh(linear(t, "w.mlp_enc", t["in.enc_hs_pad"]))
        return espnet(layer, [], t, query, key, {})

    return run


def espnet(layer, weights, t, query, key, arguments):
    states = t["in.enc_hs_pad"]
    context, attention = layer(
        weights,
        query,
        states,
        key,
        value_mask=within(t.get("in.enc_hs_len"), states.shape[1]),
        return_attention_scores=True,
        **arguments,
    )
    return {"out.context": context, "out.attention": attention}
