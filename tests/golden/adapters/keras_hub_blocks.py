"""KerasHub's cached attention and its Transformer blocks."""

import keras
from keras import ops

from regard.layers import MultiHeadAttention
from regard.models import FeedForward, TransformerDecoderBlock, TransformerEncoderBlock
from tests.golden.tools import Applied, adapts, concretely

PROJECTIONS = ("query", "key", "value", "attention_output")


class StepByStep(keras.layers.Layer):
    """A sequence through a layer one place at a time: outputs, and the last cache."""

    def __init__(self, layer, capacity, *widths):
        super().__init__()
        self.layer, self.capacity = layer, capacity
        with concretely():
            layer.build(*((None, None, width) for width in widths))
        self.built = True

    def call(self, x, cache=None, memory=()):
        state = self.start(x)
        if cache is not None:
            state = {**state, **cache}
        outputs = []
        for at in range(x.shape[1]):
            output, state = self.layer(x[:, at : at + 1], *memory, state=state)
            outputs.append(output)
        return ops.concatenate(outputs, axis=1), state

    def start(self, x):
        if isinstance(self.layer, TransformerDecoderBlock):
            return self.layer.initial_state({}, len(x), self.capacity)
        return self.layer.initial_cache(len(x), self.capacity)


@adapts("keras_hub.CachedMultiHeadAttention")
def cached_multi_head_attention(case):
    """The cache is one tensor (B, 2, S, H, D) there, two of (B, H, S, D) here."""
    # That class makes the weights of a gate and takes a window, but uses neither.
    ignored = ("flash_attention", "use_gate", "sliding_window")
    options = {k: v for k, v in case.constructor.items() if k not in ignored}
    layer = MultiHeadAttention(**options)
    _, length, width = case.arrays["in.x"].shape
    slots = case.call["cache"][2] if "cache" in case.call else length
    stepped, whole = Applied(StepByStep(layer, slots, width)), Applied(layer)

    def run(t):
        weights, before = projections(t, ""), None
        if "in.cache" in t:
            kept = ops.transpose(t["in.cache"], (0, 1, 3, 2, 4))
            before = {"key": kept[:, 0], "value": kept[:, 1]}
        output, state = stepped(weights, t["in.x"], before)
        return {
            "out.y": output,
            "out.cache": joined(state),
            "out.y_full": whole(weights, t["in.x"], use_causal_mask=True),
        }

    return run


@adapts("keras_hub.TransformerEncoder")
def transformer_encoder(case):
    layer = Applied(TransformerEncoderBlock(*parts(case, "in.x"), **settings(case)))

    def run(t):
        output, attention = layer(
            [*projections(t, "self_attention_layer/"), *rest(t, "self_attention")],
            t["in.x"],
            attention_mask=pairs(t, "padding_mask", "attention_mask"),
            return_attention_scores=True,
        )
        return {"out.y": output, "out.attention": attention}

    return run


@adapts("keras_hub.TransformerDecoder")
def transformer_decoder(case):
    name = "in.decoder_sequence"
    attention, feed_forward = parts(case, name)
    cross = parts(case, name)[0] if "in.encoder_sequence" in case.arrays else None
    block = TransformerDecoderBlock(attention, feed_forward, cross, **settings(case))
    _, length, width = case.arrays[name].shape
    given = [case.arrays["in.encoder_sequence"].shape[-1]] if cross is not None else []
    stepped = Applied(StepByStep(block, length, width, *given))
    layer = Applied(block)
    causal = case.call.get("use_causal_mask", True)

    def run(t):
        weights = [*projections(t, "self_attention/"), *rest(t, "self_attention")]
        if cross is not None:
            weights += projections(t, "cross_attention/")
            weights += normed(t, "cross_attention")
        memory = (t["in.encoder_sequence"],) if cross is not None else ()
        output = layer(
            weights,
            t[name],
            *memory,
            attention_mask=pairs(t, "decoder_padding_mask", "decoder_attention_mask"),
            memory_attention_mask=pairs(
                t, "encoder_padding_mask", "encoder_attention_mask"
            ),
            use_causal_mask=causal,
        )
        found = {"out.y": output}
        if "out.y_cached" in case.arrays:
            found["out.y_cached"], state = stepped(weights, t[name], memory=memory)
            found["out.cache"] = joined(state["cache"])
        return found

    return run


def joined(cache):
    """(B, 2, S, H, D) from keys and values (B, H, S, D)."""
    kept = ops.stack([cache["key"], cache["value"]], axis=1)
    return ops.transpose(kept, (0, 1, 3, 2, 4))


def parts(case, name):
    """The attention and the feed-forward network of a block."""
    options = case.constructor
    heads, width = options["num_heads"], case.arrays[name].shape[-1]
    activation = options.get("activation", "relu")
    between = FeedForward(options["intermediate_dim"], activation)
    return MultiHeadAttention(heads, width // heads), between


def settings(case):
    options = case.constructor
    epsilon = options.get("layer_norm_epsilon", 1e-5)
    return {
        "norm": keras.layers.LayerNormalization(epsilon=epsilon),
        "pre_norm": options.get("normalize_first", False),
    }


def projections(t, prefix):
    names = [f"w.{prefix}{part}/" for part in PROJECTIONS]
    both = [name + kind for name in names for kind in ("kernel", "bias")]
    return [t[name] for name in both if name in t]


def rest(t, attention):
    """What follows the attention in our blocks: feed-forward network and norms."""
    dense = [f"w.feedforward_{part}_dense/" for part in ("intermediate", "output")]
    found = [t[name + kind] for name in dense for kind in ("kernel", "bias")]
    return [*found, *normed(t, attention), *normed(t, "feedforward")]


def normed(t, name):
    return [t[f"w.{name}_layer_norm/{kind}"] for kind in ("gamma", "beta")]


def pairs(t, padding, attention):
    """Padding (B, S) and pairs (B, T, S), both True = keep, as one mask of pairs."""
    padding, attention = t.get(f"in.{padding}"), t.get(f"in.{attention}")
    if attention is not None:
        attention = ops.cast(attention, "bool")
    if padding is None:
        return attention
    padding = ops.expand_dims(ops.cast(padding, "bool"), 1)
    return padding if attention is None else ops.logical_and(padding, attention)
