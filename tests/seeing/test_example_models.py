"""Architectures that many begin with: a translating Transformer, a text classifier.

They are those of keras.io's examples "English-to-Spanish translation with a
sequence-to-sequence Transformer" and "Text classification with Transformer", written
anew with tiny sizes. A capture leaves them alone and sees the weights that their own
kernels give.
"""

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

import regard

# KerasHub's embedding of positions lets go of the mask, and Keras warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:.*was passed an input with a mask")
WORDS, WIDTH, HEADS, LENGTH = 20, 8, 2, 7
SOURCE = np.array([[3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 0, 0, 0]])
TARGET = np.array([[1, 3, 4, 5, 6], [1, 9, 8, 0, 0]])
CAUSAL = np.tril(np.ones((5, 5), bool))


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


class PositionalEmbedding(layers.Layer):
    """Words and places, each learned; id 0 is padding."""

    def __init__(self):
        super().__init__()
        self.words = layers.Embedding(WORDS, WIDTH)
        self.places = layers.Embedding(LENGTH, WIDTH)

    def call(self, ids):
        return self.words(ids) + self.places(ops.arange(ops.shape(ids)[-1]))

    def compute_mask(self, ids, mask=None):
        return ops.not_equal(ids, 0)


class EncoderBlock(layers.Layer):
    """Self-attention and a network of two layers, each with a residual and a norm."""

    def __init__(self, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention = layers.MultiHeadAttention(HEADS, WIDTH, name="attention")
        self.inner = keras.Sequential(
            [layers.Dense(12, activation="relu"), layers.Dense(WIDTH)]
        )
        self.norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
        self.drops = [layers.Dropout(dropout) for _ in range(2)]

    def call(self, inputs, mask=None, training=None):
        pairs = None if mask is None else ops.cast(mask[:, None, :], "int32")
        read = self.attention(inputs, inputs, attention_mask=pairs)
        first = self.norms[0](inputs + self.drops[0](read, training=training))
        second = self.drops[1](self.inner(first), training=training)
        return self.norms[1](first + second)


class DecoderBlock(layers.Layer):
    """Causal self-attention, then attention to the source."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.own = layers.MultiHeadAttention(HEADS, WIDTH, name="own")
        self.cross = layers.MultiHeadAttention(HEADS, WIDTH, name="cross")
        self.inner = keras.Sequential(
            [layers.Dense(12, activation="relu"), layers.Dense(WIDTH)]
        )
        self.norms = [layers.LayerNormalization() for _ in range(3)]

    def call(self, inputs, mask=None):
        words, memory = inputs
        word_mask, memory_mask = (None, None) if mask is None else mask
        length = ops.shape(words)[1]
        causal = ops.arange(length)[:, None] >= ops.arange(length)[None]
        pairs = ops.cast(causal, "int32")[None]
        if word_mask is not None:
            pairs = ops.minimum(pairs, ops.cast(word_mask[:, None], "int32"))
        read = self.own(words, words, attention_mask=pairs)
        first = self.norms[0](words + read)
        pairs = None if memory_mask is None else memory_mask[:, None]
        read = self.cross(first, memory, attention_mask=pairs)
        second = self.norms[1](first + read)
        return self.norms[2](second + self.inner(second))

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]


def translator():
    source = keras.Input((None,), dtype="int32", name="source")
    memory = EncoderBlock(name="encoder")(PositionalEmbedding()(source))
    encoder = keras.Model(source, memory, name="reader")
    target = keras.Input((None,), dtype="int32", name="target")
    read = DecoderBlock(name="decoder")(
        [PositionalEmbedding()(target), encoder(source)]
    )
    logits = layers.Dense(WORDS)(layers.Dropout(0.5)(read))
    return keras.Model({"source": source, "target": target}, logits)


def translator_of_keras_hub():
    hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed").layers
    sizes = {"intermediate_dim": 12, "num_heads": HEADS}
    embed = {"vocabulary_size": WORDS, "embedding_dim": WIDTH, "mask_zero": True}
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    words = hub.TokenAndPositionEmbedding(sequence_length=LENGTH, **embed)(source)
    memory = hub.TransformerEncoder(**sizes, name="encoder")(words)
    words = hub.TokenAndPositionEmbedding(sequence_length=LENGTH, **embed)(target)
    read = hub.TransformerDecoder(**sizes, name="decoder")(words, memory)
    return keras.Model({"source": source, "target": target}, layers.Dense(WORDS)(read))


def weights_of(trace, layer, mask):
    """Of the layer's own kernels and what it was called with, in float64."""
    query, key = (
        np.einsum("btm,mhd->bhtd", trace.inputs[name].astype("float64"), kernel)
        + bias[:, None]
        for name, (kernel, bias) in {
            "query": map(numpy, layer._query_dense.weights),
            "value": map(numpy, layer._key_dense.weights),
        }.items()
    )
    powers = np.exp(query @ key.swapaxes(2, 3) / np.sqrt(query.shape[-1])) * mask
    return powers / powers.sum(-1, keepdims=True)


def seen(model, inputs):
    """The traces of a call beside their layers, whose answer stays as it is."""
    before = numpy(model(inputs, training=False))
    with regard.capture(model) as maps:
        inside = numpy(model(inputs, training=False))
    assert_array_equal(inside, before)
    assert not maps.unread
    by_path = {each.path: each for each in model._flatten_layers()}
    return {name: (calls[-1], by_path[calls[-1].layer]) for name, calls in maps.items()}


@pytest.mark.parametrize("make", [translator, translator_of_keras_hub])
def test_a_translator_shows_what_its_kernels_say(make):
    model = make()
    found = seen(model, {"source": SOURCE, "target": TARGET})
    own, cross, reading = (
        next(pair for name, pair in found.items() if part in name)
        for part in (("own", "cross", "encoder") if make is translator else (
            "decoder/self", "decoder/cross", "encoder"))
    )  # fmt: skip
    assert len(found) == 3
    source, target = (SOURCE != 0)[:, None], (TARGET != 0)[:, None]  # (B, 1, T)
    cases = (
        (reading, source, source[:, :, None]),
        (own, target, target[:, :, None] & CAUSAL),
        (cross, target, source[:, :, None]),
    )
    for (trace, layer), rows, mask in cases:
        rows = np.broadcast_to(rows, trace.weights.shape[:3])  # those of real words
        mask = np.broadcast_to(mask, trace.weights.shape)
        assert_allclose(
            trace.weights[rows], weights_of(trace, layer, mask)[rows], atol=1e-6
        )
        visible = np.broadcast_to(trace.mask, mask.shape)
        assert_array_equal(visible[rows], mask[rows])
        read = (trace.weights @ trace.value)[rows]
        assert_allclose(read, trace.context[rows], atol=1e-6)
    assert cross[0].weights.shape == (2, HEADS, 5, 7)


def test_a_classifier_shows_what_its_kernels_say():
    ids = keras.Input((LENGTH,), dtype="int32")
    embedding = PositionalEmbedding()
    read = EncoderBlock(dropout=0.1, name="block")(embedding(ids))
    pooled = layers.GlobalAveragePooling1D()(read)
    hidden = layers.Dense(5, activation="relu")(layers.Dropout(0.1)(pooled))
    model = keras.Model(ids, layers.Dense(2, activation="softmax")(hidden))
    ((trace, layer),) = seen(model, SOURCE).values()
    assert_allclose(trace.inputs["query"], numpy(embedding(SOURCE)), atol=1e-7)
    real = (SOURCE != 0)[:, None]
    expected = weights_of(trace, layer, real[:, :, None])
    rows = np.broadcast_to(real, expected.shape[:3])
    assert_allclose(trace.weights[rows], expected[rows], atol=1e-6)


def test_a_translator_trains_as_without_a_probe():
    def trained(*callbacks):
        keras.utils.set_random_seed(2)
        model = translator()
        loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0)
        model.compile("rmsprop", loss)
        data = {"source": SOURCE, "target": TARGET}
        model.fit(data, TARGET, epochs=3, verbose=0, callbacks=list(callbacks))
        return [numpy(each) for each in model.weights]

    probe = regard.AttentionProbe({"source": SOURCE, "target": TARGET}, snapshots=3)
    for mine, theirs in zip(trained(probe), trained(), strict=True):
        assert_array_equal(mine, theirs)
    assert [step for step, _ in probe.snapshots] == [0, 1, 3]
    assert len(probe.snapshots[0][1]) == 3
