"""Sequence to sequence by attention alone."""

import keras
from keras import ops

from regard.core.products import product
from regard.layers.decoder_parts import as_layer
from regard.models.words import (
    PAD,
    build,
    read_words,
    source_and_target,
    word_table,
)


@keras.saving.register_keras_serializable("regard")
class Transformer(keras.Model):
    r"""Reads one sequence of ids and gives logits for the next id of another.

    $h = \mathrm{encoder}(E_s x),\quad \text{logits}_i = E_t\,
    \mathrm{decoder}(E_t y_{<i}, h)_i + b$

    with embeddings times $\sqrt{D}$, and output words that share their vectors with the
    input words of the target side (Press and Wolf 2017, arXiv:1608.05859). Positions
    are those of the blocks' attentions.

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.

    Args:
        encoder: a ``TransformerEncoder``.
        decoder: a ``TransformerDecoder`` with cross-attention.
        source_size, target_size: numbers of ids; id 0 is padding on both sides.
        width: D, of the embeddings and of every block.
        dropout: of the embeddings, while training.

    Call arguments:
        inputs: the dict or pair of ``source`` (B, S) and ``target`` (B, T) ids, the
            target beginning with its start mark.
        return_attention_scores: also return the weights (B, H, T, S) of the block that
            the decoder is ``aligned_by``.

    Returns: logits (B, T, target_size).

    Raises:
        ValueError: for a decoder without cross-attention.
    """

    def __init__(
        self, encoder, decoder, source_size, target_size, width, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.encoder, self.decoder = as_layer(encoder), as_layer(decoder)
        if not all(block.cross_attention for block in self.decoder.blocks):
            raise ValueError(
                "decoder must have a cross_attention in its blocks, to read the "
                "encoder. Got blocks without one."
            )
        self.source_size, self.target_size = source_size, target_size
        self.width, self.dropout = width, dropout
        self.source_words = word_table(source_size, width, "source_words")
        self.target_words = word_table(target_size, width, "target_words")
        self.drop = keras.layers.Dropout(dropout)
        self.build()

    def build(self, inputs_shape=None):
        """Every size is known from the constructor; the input shapes are not needed."""
        sequence = (None, None, self.width)
        build(self.source_words, (None, None))
        build(self.target_words, (None, None))
        build(self.encoder, sequence)
        build(self.decoder, sequence, sequence)
        self.output_bias = self.add_weight(
            (self.target_size,), name="output_bias", initializer="zeros"
        )
        self.built = True

    # What search needs ---------------------------------------------------------------

    @property
    def shares_memory(self):
        """Whether a step may ask several rows of each memory."""
        blocks = self.decoder.blocks
        return all(block.cross_attention.shares_memory for block in blocks)

    def encode(self, source, training=False):
        """Read the source (B, S): the memory of every block, batch first."""
        read, mask = self._read(source, training)
        return self.decoder.prepare(read, mask)

    def initial_state(self, memory, length=64):
        """The state before the first id, with room for ``length`` of them."""
        batch = ops.shape(memory[0]["mask"])[0]
        return self.decoder.initial_state(memory, batch, length)

    def step(self, tokens, memory, state):
        """The ids before (B,): logits (B, V), weights (B, H, S) and the next state."""
        words = read_words(self.target_words, tokens)
        output, weights, state = self.decoder.step(words, memory, state)
        return self._logits(output), weights, state

    # Training ------------------------------------------------------------------------

    def call(self, inputs, training=False, return_attention_scores=False):
        source, target = source_and_target(inputs)
        read, mask = self._read(source, training)
        words = read_words(self.target_words, target)
        outputs, weights = self.decoder(
            self.drop(words, training=training),
            read,
            inputs_mask=ops.not_equal(target, PAD),
            memory_mask=mask,
            return_attention_scores=True,
            training=training,
        )
        logits = self._logits(outputs)
        return (logits, weights) if return_attention_scores else logits

    def _read(self, source, training):
        mask = ops.not_equal(source, PAD)
        words = read_words(self.source_words, source)
        words = self.drop(words, training=training)
        return self.encoder(words, inputs_mask=mask, training=training), mask

    def _logits(self, outputs):
        table = ops.transpose(self.target_words.embeddings)
        kind = outputs.dtype
        return product(outputs, ops.cast(table, kind), ops.cast(self.output_bias, kind))

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "width": self.width,
            "dropout": self.dropout,
        }
