"""Location-aware and coverage attention: ESPnet, speechbrain, Tacotron 2."""

import keras
from keras import ops

from regard.layers import (
    AdditiveAttention,
    CoverageAttention,
    LocationSensitiveAttention,
    ScaledDotAttention,
)
from tests.golden.adapters.speech import mlp_weights, sharpness
from tests.golden.tools import Applied, adapts, linear, opposite, within


def location_sensitive(case, **options):
    """Our layer for ESPnet's options."""
    return Applied(
        LocationSensitiveAttention(
            case.constructor["att_dim"],
            case.constructor["aconv_chans"],
            2 * case.constructor["aconv_filts"] + 1,
            **options,
        )
    )


def filters(kernel):
    """(filters, 1, channels, taps) -> (taps, channels, filters)."""
    return ops.transpose(kernel[:, 0], (2, 1, 0))


def location_weights(t, sharp):
    return [
        *mlp_weights(t, t["w.gvec.weight"][0] * sharp),
        filters(t["w.loc_conv.weight"]),
        ops.transpose(t["w.mlp_att.weight"]),
    ]


def walked(case, t, layer, weights, **options):
    """All steps of one of ESPnet's classes."""
    states = t["in.enc_hs_pad"]
    context, attention = layer(
        weights,
        t["in.dec_z"],
        states,
        value_mask=within(t.get("in.enc_hs_len"), states.shape[1]),
        bias=t["w.gvec.bias"] * sharpness(case),
        return_attention_scores=True,
        **options,
    )
    return {"out.context": context, "out.attention": attention}


@adapts("espnet.AttLoc", "espnet.AttLoc2D", "espnet.AttCovLoc")
def espnet_location(case):
    history = "cumulative" if case.name.endswith("CovLoc") else "previous"
    steps = case.constructor.get("att_win", 1)
    layer = location_sensitive(case, history=history, steps=steps)

    def run(t):
        return walked(case, t, layer, location_weights(t, sharpness(case)))

    return run


@adapts("espnet.AttLoc_constrained")
def espnet_constrained(case):
    """One step, whose window lies around the frame of the step before."""
    layer = location_sensitive(case)
    last = case.call["last_attended_idx"]
    first = last - case.call.get("backward_window", 1)
    end = last + case.call.get("forward_window", 3)

    def run(t):
        t = {**t, "in.dec_z": t["in.dec_z"][:, None]}
        places = ops.arange(t["in.enc_hs_pad"].shape[1])
        near = ops.logical_and(places >= first, places < end)[None]
        weights = location_weights(t, sharpness(case))
        found = walked(case, t, layer, weights, attention_mask=near)
        return {name: each[:, 0] for name, each in found.items()}

    return run


@adapts("espnet.AttCov")
def espnet_coverage(case):
    layer = Applied(CoverageAttention(case.constructor["att_dim"], start="uniform"))

    def run(t):
        *weights, bias = mlp_weights(t, t["w.gvec.weight"][0] * sharpness(case))
        weights += [bias + t["w.wvec.bias"], ops.transpose(t["w.wvec.weight"])]
        return walked(case, t, layer, weights)

    return run


@adapts("espnet.AttLocRec")
def espnet_recurrent(case):
    """The location's features come from a network beside; the attention is additive."""
    units = case.constructor["att_dim"]
    layer = Applied(AdditiveAttention(units, use_bias=True))
    padding = case.constructor["aconv_filts"]

    def run(t):
        states, queries = t["in.enc_hs_pad"], t["in.dec_z"]
        mask = within(t["in.enc_hs_len"], states.shape[1])
        kernel, *rest = mlp_weights(t, t["w.gvec.weight"][0] * sharpness(case))
        weights = [ops.concatenate([kernel, ops.eye(units)]), *rest]
        previous = ops.cast(mask, "float32")
        previous = previous / ops.sum(previous, axis=1, keepdims=True)
        hidden = cell = ops.zeros((queries.shape[0], units))
        found = []
        for i in range(queries.shape[1]):
            seen = ops.pad(previous[..., None], [(0, 0), (padding, padding), (0, 0)])
            seen = ops.conv(seen, filters(t["w.loc_conv.weight"]), padding="valid")
            features = ops.max(ops.relu(seen), axis=1)
            hidden, cell = lstm(t, "w.att_lstm", features, hidden, cell)
            query = ops.concatenate([queries[:, i], hidden], axis=-1)
            context, attention = layer(
                weights,
                query[:, None],
                states,
                value_mask=mask,
                bias=t["w.gvec.bias"] * sharpness(case),
                return_attention_scores=True,
            )
            previous = attention[:, 0]
            found.append((context[:, 0], previous))
        contexts, attentions = zip(*found, strict=True)
        return {
            "out.context": ops.stack(contexts, axis=1),
            "out.attention": ops.stack(attentions, axis=1),
        }

    return run


def lstm(t, name, inputs, hidden, cell):
    """``torch.nn.LSTMCell`` without biases."""
    gates = ops.matmul(inputs, ops.transpose(t[f"{name}.weight_ih"]))
    gates = gates + ops.matmul(hidden, ops.transpose(t[f"{name}.weight_hh"]))
    enter, forget, new, leave = ops.split(gates, 4, axis=-1)
    cell = ops.sigmoid(forget) * cell + ops.sigmoid(enter) * ops.tanh(new)
    return ops.sigmoid(leave) * ops.tanh(cell), cell


def of_head(t, head):
    """The weights of one head by the names of the single-headed classes."""
    names = {"mlp_q": "mlp_dec", "mlp_k": "mlp_enc"}
    found = {}
    for name, tensor in t.items():
        parts = name.split(".")
        if parts[0] == "w" and len(parts) == 4 and parts[2] == str(head):
            found[f"w.{names.get(parts[1], parts[1])}.{parts[3]}"] = tensor
    return found


@adapts("espnet.AttMultiHeadAdd", "espnet.AttMultiHeadDot", "espnet.AttMultiHeadLoc")
def espnet_heads(case):
    """Every head is a layer of its own."""
    kind, options = case.name[-3:], case.constructor
    if kind == "Loc":
        sharp = sharpness(case)
        options = {**options, "att_dim": options["att_dim_k"]}
        layers = [
            Applied(
                LocationSensitiveAttention(
                    options["att_dim_k"],
                    options["aconv_chans"],
                    2 * options["aconv_filts"] + 1,
                )
            )
            for _ in range(options["aheads"])
        ]
    else:
        sharp = options["att_dim_k"] ** -0.5
        layers = [
            Applied(
                AdditiveAttention(options["att_dim_k"], use_bias=True)
                if kind == "Add"
                else ScaledDotAttention()
            )
            for _ in range(options["aheads"])
        ]

    def run(t):
        states = t["in.enc_hs_pad"]
        mask = within(t.get("in.enc_hs_len"), states.shape[1])
        contexts, attentions = [], []
        for head, layer in enumerate(layers):
            own = of_head(t, head)
            query, key, more = t["in.dec_z"], states, {}
            if kind == "Dot":
                weights = []
                query = ops.tanh(linear(own, "w.mlp_dec", query))
                key = ops.tanh(linear(own, "w.mlp_enc", key))
            else:
                more = {"bias": own["w.gvec.bias"] * sharp}
                weights = mlp_weights(own, own["w.gvec.weight"][0] * sharp)
            if kind == "Loc":
                weights = location_weights(own, sharp)
            context, attention = layer(
                weights,
                query,
                linear(own, "w.mlp_v", states),
                key,
                value_mask=mask,
                return_attention_scores=True,
                **more,
            )
            contexts.append(context)
            attentions.append(attention)
        context = linear(t, "w.mlp_o", ops.concatenate(contexts, axis=-1))
        return {"out.context": context, "out.attention": ops.stack(attentions, 2)}

    return run


@adapts("speechbrain.LocationAwareAttention")
def speechbrain_location(case):
    """The weights before are cut off the gradient there, so every step is a call."""
    options = case.constructor
    layer = Applied(
        LocationSensitiveAttention(
            options["attn_dim"],
            options["conv_channels"],
            2 * options["kernel_size"] + 1,
        )
    )
    scaling = options.get("scaling", 1.0)

    def run(t):
        states, queries = t["in.enc_states"], t["in.dec_states"]
        mask = within(t.get("in.enc_len"), states.shape[1])
        *weights, bias = mlp_weights(t, t["w.mlp_attn.weight"][0] * scaling)
        if "w.mlp_loc.bias" in t:
            bias = bias + t["w.mlp_loc.bias"]
        kernel = ops.transpose(t["w.conv_loc.weight"], (2, 1, 0))
        weights += [bias, kernel, ops.transpose(t["w.mlp_loc.weight"])]
        real = ops.ones(states.shape[:2]) if mask is None else ops.cast(mask, "float32")
        state = real / ops.sum(real, axis=-1, keepdims=True)
        state = {"previous": state[:, None]}
        contexts, attentions = [], []
        for i in range(queries.shape[1]):
            context, attention, state = layer(
                weights,
                queries[:, i : i + 1],
                states,
                value_mask=mask,
                return_attention_scores=True,
                state=state,
            )
            state = keras.tree.map_structure(ops.stop_gradient, state)
            contexts.append(context)
            attentions.append(attention)
        context = linear(t, "w.mlp_out", ops.concatenate(contexts, axis=1))
        return {
            "out.context": context,
            "out.attention": ops.concatenate(attentions, axis=1),
        }

    return run


@adapts("tacotron2.Attention")
def tacotron(case):
    options = case.constructor
    layer = Applied(
        LocationSensitiveAttention(
            options["attention_dim"],
            options["attention_location_n_filters"],
            options["attention_location_kernel_size"],
            history="both",
            start="zero",
            use_bias=False,
        )
    )
    place = "w.location_layer.location"

    def run(t):
        weights = [
            ops.transpose(t["w.query_layer.linear_layer.weight"]),
            ops.transpose(t["w.memory_layer.linear_layer.weight"]),
            t["w.v.linear_layer.weight"][0],
            ops.transpose(t[f"{place}_conv.conv.weight"], (2, 1, 0)),
            ops.transpose(t[f"{place}_dense.linear_layer.weight"]),
        ]
        context, attention = layer(
            weights,
            t["in.attention_hidden_state"],
            t["in.memory"],
            value_mask=opposite(t.get("in.mask")),
            return_attention_scores=True,
        )
        return {"out.context": context, "out.attention": attention}

    return run
