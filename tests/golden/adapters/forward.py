"""Forward attention in ESPnet, dynamic convolutions in bshall's Tacotron."""

from keras import ops

from regard.layers import DynamicConvolutionAttention, ForwardAttention
from tests.golden.adapters.location_aware import location_weights
from tests.golden.tools import Applied, adapts, within


@adapts("espnet.AttForward", "espnet.AttForwardTA")
def espnet_forward(case):
    """The agent there tells how much stays, here how much moves on."""
    agent = case.name.endswith("TA")
    layer = Applied(
        ForwardAttention(
            case.constructor["att_dim"],
            case.constructor["aconv_chans"],
            2 * case.constructor["aconv_filts"] + 1,
            transition_agent=agent,
        )
    )
    scaling = case.call.get("scaling", "default")
    sharp = 1.0 if scaling == "default" else float(scaling)

    def run(t):
        states, queries = t["in.enc_hs_pad"], t["in.dec_z"]
        weights = location_weights(t, sharp)
        if agent:
            outputs = t["in.prev_out"]
            asked = ops.concatenate([queries, outputs], axis=-1)
            unread = ops.zeros((outputs.shape[-1], weights[0].shape[-1]))
            weights[0] = ops.concatenate([weights[0], unread])
            kernel = -ops.transpose(t["w.mlp_ta.weight"])
            read, told = states.shape[-1], states.shape[-1] + outputs.shape[-1]
            of_query = ops.concatenate([kernel[told:], kernel[read:told]])
            weights += [kernel[:read], of_query, -t["w.mlp_ta.bias"]]
            queries = asked
        context, attention = layer(
            weights,
            queries,
            states,
            value_mask=within(t.get("in.enc_hs_len"), states.shape[1]),
            bias=t["w.gvec.bias"] * sharp,
            return_attention_scores=True,
        )
        return {"out.context": context, "out.attention": attention}

    return run


@adapts("bshall_tacotron.DynamicConvolutionAttention")
def bshall(case):
    options = case.constructor
    prior = (
        options["prior_length"],
        options.get("alpha", 0.1),
        options.get("beta", 0.9),
    )
    layer = Applied(
        DynamicConvolutionAttention(
            options["hidden_size"],
            options["static_channels"],
            options["static_kernel_size"],
            options["dynamic_channels"],
            options["dynamic_kernel_size"],
            prior,
        )
    )
    places = case.call["T"]

    def run(t):
        queries = t["in.s"]
        memory = ops.ones((queries.shape[0], places, 1))  # is not compared
        weights = [
            ops.transpose(t["w.W.weight"]),
            t["w.W.bias"],
            ops.transpose(t["w.V.weight"]),
            ops.transpose(t["w.F.weight"], (2, 1, 0)),
            ops.transpose(t["w.U.weight"]),
            ops.transpose(t["w.T.weight"]),
            t["w.T.bias"],
            t["w.v.weight"][0],
        ]
        _, attention = layer(weights, queries, memory, return_attention_scores=True)
        return {"out.attention": attention}

    return run
