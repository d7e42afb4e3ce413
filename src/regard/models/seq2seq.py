"""Sequence to sequence: an encoder, a decoder with attention, and the words around."""

import keras
from keras import ops

from regard.core.products import product
from regard.layers.decoder_folding import folded, is_folded
from regard.layers.decoder_parts import as_layer
from regard.models.words import (
    PAD,
    build,
    read_words,
    source_and_target,
    word_table,
)


@keras.saving.register_keras_serializable("regard")
class Seq2Seq(keras.Model):
    r"""Reads one sequence of ids and gives logits for the next id of another.

    annotations, summary $= \mathrm{encoder}(E_s x)$; the decoder's states begin
    at $\tanh(W\,\text{summary} + b)$; $o_i$ is its output for $E_t y_{i-1}$; then

    $r_i = \tanh(W_r o_i + b_r),\quad \text{logits}_i = E_t r_i + b_o$

    where Bahdanau's decoder gives $[o_i; E_t y_{i-1}]$ for $o_i$, the deep output of
    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, appendix A.2.2, with tanh for maxout.
    The output words share their vectors with the input words of the target side (Press
    and Wolf 2017, arXiv:1608.05859).

    Args:
        encoder: a layer ``(inputs, mask=, training=) -> annotations, summary`` with
            ``output_width``, such as ``BidirectionalEncoder``.
        decoder: an ``AttentionDecoder``.
        source_size, target_size: numbers of ids; id 0 is padding on both sides.
        width: of the embeddings.
        dropout: of embeddings and readout, while training.
        seed: of the dropout.

    Call arguments:
        inputs: the dict or pair of ``source`` (B, S) and ``target`` (B, T) ids, the
            target beginning with its start mark.
        return_attention_scores: also return the weights (B, T, S), with more than one
            head (B, H, T, S).

    Returns: logits (B, T, target_size).
    """

    def __init__(
        self,
        encoder,
        decoder,
        source_size,
        target_size,
        width=256,
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder, self.decoder = as_layer(encoder), as_layer(decoder)
        self.source_size, self.target_size = source_size, target_size
        self.width, self.dropout, self.seed = width, dropout, seed
        self.source_words = word_table(source_size, width, "source_words")
        self.target_words = word_table(target_size, width, "target_words")
        widths = self.decoder.cell_state_widths
        self.starts = [keras.layers.Dense(each, activation="tanh") for each in widths]
        self.readout = keras.layers.Dense(width, activation="tanh", name="readout")
        self.drop = keras.layers.Dropout(dropout, seed=seed)
        self.build()

    def build(self, inputs_shape=None):
        """Every size is known from the constructor; the input shapes are not needed."""
        annotations = self.encoder.output_width
        build(self.source_words, (None, None))
        build(self.target_words, (None, None))
        build(self.encoder, (None, None, self.width))
        build(self.decoder, (None, None, self.width), (None, None, annotations))
        for start in self.starts:
            build(start, (None, annotations))
        read = self.decoder.output_width + (self.width if self._reads_words else 0)
        build(self.readout, (None, None, read))
        self.output_bias = self.add_weight(
            (self.target_size,), name="output_bias", initializer="zeros"
        )
        self.built = True

    @property
    def _reads_words(self):
        """Bahdanau's output reads the word before as well, Luong's does not."""
        return self.decoder.query == "previous_state"

    # What search needs ---------------------------------------------------------------

    @property
    def shares_memory(self):
        """Whether a step may ask several rows of each memory."""
        return getattr(self.decoder.attention, "shares_memory", False)

    def encode(self, source, training=False):
        """Read the source (B, S): the memory, a dict of tensors, batch first."""
        annotations, summary, mask = self._read(source, training)
        return {
            "attention": self.decoder.prepare(annotations, value_mask=mask),
            "start": [start(summary) for start in self.starts],
        }

    def folded(self, memory, queries):
        """The same memory, made ready for so many steps of each source."""
        kernel = None
        if self._reads_words:
            if not _is_plain(self.readout):
                return memory
            start = self.decoder.cell_width
            kernel = ops.convert_to_tensor(self.readout.kernel)[start : -self.width]
        attention = folded(self.decoder, memory["attention"], queries, kernel)
        return {**memory, "attention": attention}

    def initial_state(self, memory, length=None):
        """The decoder's state before the first id, the same for any ``length``."""
        return self.decoder.initial_state(memory["attention"], memory["start"])

    def step(self, tokens, memory, state):
        """The ids before (B,): logits (B, V), weights (B, H, S) and the next state."""
        words = read_words(self.target_words, tokens)
        output, weights, state = self.decoder.step(words, memory["attention"], state)
        logits = self._logits(output, words, False, is_folded(memory["attention"]))
        return logits, weights, state

    # Training ------------------------------------------------------------------------

    def call(self, inputs, training=False, return_attention_scores=False):
        source, target = source_and_target(inputs)
        annotations, summary, mask = self._read(source, training)
        words = self.drop(read_words(self.target_words, target), training=training)
        found = self.decoder(
            words,
            annotations,
            value_mask=mask,
            initial_state=[start(summary) for start in self.starts],
            return_attention_scores=return_attention_scores,
            training=training,
        )
        outputs, *weights = found if return_attention_scores else (found,)
        logits = self._logits(outputs, words, training)
        return (logits, *weights) if weights else logits

    def _read(self, source, training):
        mask = ops.not_equal(source, PAD)
        words = self.drop(read_words(self.source_words, source), training=training)
        return *self.encoder(words, mask=mask, training=training), mask

    def _logits(self, outputs, words, training, folded=False):
        """``folded``: the context in the outputs is what the readout makes of it."""
        outputs, found = ops.cast(outputs, words.dtype), None
        if self._reads_words:
            if folded:
                outputs, found = ops.split(outputs, [self.decoder.cell_width], axis=-1)
            outputs = ops.concatenate([outputs, words], axis=-1)
        read = self._read_out(outputs, found)
        read = self.drop(read, training=training)
        table = ops.cast(ops.transpose(self.target_words.embeddings), read.dtype)
        return product(read, table, ops.cast(self.output_bias, read.dtype))

    def _read_out(self, outputs, found):
        """The readout; ``found`` is its product of what stood between the outputs."""
        if found is None:
            return self.readout(outputs)
        kernel = ops.convert_to_tensor(self.readout.kernel)
        rows = [kernel[: self.decoder.cell_width], kernel[-self.width :]]
        read = product(outputs, ops.concatenate(rows), self.readout.bias)
        return self.readout.activation(read + found)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "width": self.width,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _is_plain(layer):
    """A ``Dense`` that only multiplies and adds: neither quantized nor adapted."""
    return (
        type(layer) is keras.layers.Dense
        and layer.quantization_mode is None
        and not layer.lora_enabled
    )
