"""Words become sentences, sentences a document."""

import keras
from keras import ops

from regard.changing import changes_of
from regard.core.masks import boolean_mask
from regard.core.shapes import sizes_of
from regard.layers.inputs import join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.pooling.context_pooling import ContextPooling
from regard.layers.pooling.two_levels import (
    joint_weights,
    narrowed,
    reading_with_changes,
)
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable


@keras.saving.register_keras_serializable("regard")
class HierarchicalPooling(Traceable):
    r"""$s_n = \sum_t a_{nt} h_{nt},\quad d = \sum_n b_n g_n$; g are the s, encoded.

    Two ``ContextPooling``: one over the words of every sentence, one over the
    sentences. Between them may stand a layer that reads the sentences in their order, a
    bidirectional GRU in the paper. Input (B, N, S, D) for N sentences of S words,
    output (B, D) or as wide as the encoder's. The weights (B, N, S) are $b_n a_{nt}$, a
    distribution over all words. A sentence without words has no part in the document;
    a document without any gives zeros.

    Yang et al. 2016, "Hierarchical attention networks for document classification",
    NAACL, section 2.2. Words are encoded before (``TimeDistributed``).

    Args:
        word_units, sentence_units: of the two poolings.
        sentence_encoder: a layer (B, N, D) -> (B, N, D'), called with a mask where it
            takes one.
        **options: of both poolings (normalizer, dropout, seed, kernel_initializer, …)
            and of every layer.

    Call arguments:
        inputs: (B, N, S, D).
        mask: (B, N, S) of the words or (B, N) of the sentences, True = real.
        return_attention_scores: also return the weights.

    Raises:
        ValueError: where the input has not four axes or a size is not positive.
    """

    mechanism = "hierarchical_pooling"

    def __init__(self, word_units, sentence_units, sentence_encoder=None, **options):
        names = ("name", "trainable", "dtype")
        own = {name: options.pop(name) for name in names if name in options}
        super().__init__(**own)
        inner = {**options, "dtype": self.dtype_policy}
        self.words = ContextPooling(word_units, name="words", **inner)
        self.sentences = ContextPooling(sentence_units, name="sentences", **inner)
        if isinstance(sentence_encoder, dict):
            sentence_encoder = keras.saving.deserialize_keras_object(sentence_encoder)
        self.sentence_encoder = sentence_encoder
        self.supports_masking = True

    def build(self, inputs_shape):
        if len(inputs_shape) != 4 or inputs_shape[-1] is None:
            raise ValueError(
                "inputs must have shape (batch, sentence, word, width) with a known "
                f"width. Got {tuple(inputs_shape)}."
            )
        batch, count, _, width = inputs_shape
        self.words.build((None, None, width))
        shape = (batch, count, width)
        if self.sentence_encoder is not None:
            if not self.sentence_encoder.built:
                self.sentence_encoder.build(shape)
            shape = self.sentence_encoder.compute_output_shape(shape)
        self.sentences.build((None, None, shape[-1]))
        self.width = shape[-1]
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        words, sentences = self._masks(inputs, mask)
        read = self._read(inputs, words, sentences, training)
        if any(change.weights for change in changes_of(self)):
            with reading_with_changes(self, *read[2:], words):
                read = self._read(inputs, words, sentences, training)
        output, found, word_weights, sentence_weights = read
        weights = joint_weights(word_weights, sentence_weights)
        batch = sizes_of(inputs)[0]
        for listener in self.recorders():
            extra = {"words": word_weights, "sentences": sentence_weights}
            extra["vectors"] = found
            rows = ops.reshape(weights, (batch, 1, 1, -1))
            context = ops.reshape(output, (batch, 1, 1, -1))
            record = {"weights": rows, "context": context, "extra": extra}
            if words is not None:
                seen = ops.reshape(words, (batch, 1, 1, -1))
                record |= {"mask": seen, "masks": {"padding": seen}}
            listener.receive(self, record)
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def _read(self, inputs, words, sentences, training):
        """Output, sentences (B, N, D'), weights of words (B, N, S) and of sentences."""
        batch, count, length, width = sizes_of(inputs)
        asked = {"return_attention_scores": True, "training": training}
        lines = ops.reshape(inputs, (-1, length, width))
        if words is not None:
            words = ops.reshape(words, (-1, length))
        found, word_weights = self.words(lines, mask=words, **asked)
        found = ops.reshape(found, (batch, count, width))
        if self.sentence_encoder is not None:
            found = self.sentence_encoder(found, mask=sentences, training=training)
        output, sentence_weights = self.sentences(found, mask=sentences, **asked)
        word_weights = ops.reshape(word_weights, (batch, count, length))
        return output, found, word_weights, sentence_weights

    def _masks(self, inputs, mask):
        """Of the words (B, N, S) and of the sentences (B, N); both may be None."""
        implicit = get_keras_mask(inputs)
        mask = None if mask is None else boolean_mask(mask, "mask")
        if mask is not None and len(mask.shape) == 2:
            mask = ops.broadcast_to(mask[..., None], ops.shape(inputs)[:3])
        mask = join(mask, implicit)
        if mask is not None and len(mask.shape) != 3:
            raise ValueError(
                "mask must have shape (batch, sentence, word) or (batch, sentence). "
                f"Got {tuple(mask.shape)}."
            )
        mask = narrowed(self, mask, sizes_of(inputs)[:3])
        return (None, None) if mask is None else (mask, ops.any(mask, axis=-1))

    def reports_for(self):
        """The poolings inside are this layer's own."""
        return (self.words, self.sentences)

    def reads_with(self):
        """None of them: what changes are the weights of all words, which are here."""
        return ()

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], self.width)

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        output, weights = (inputs.shape[0], self.width), inputs.shape[:3]
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        inner = self.words.get_config()
        inner["word_units"] = inner.pop("units")
        encoder = self.sentence_encoder
        if encoder is not None:
            encoder = keras.saving.serialize_keras_object(encoder)
        return {
            **inner,
            **super().get_config(),
            "sentence_units": self.sentences.units,
            "sentence_encoder": encoder,
        }
