"""Translation without an encoder: pervasive attention between embeddings and words."""

import keras
from keras import ops

from regard.layers import PervasiveAttention

PAD = 0  # the id that means nothing, on both sides


@keras.saving.register_keras_serializable("regard")
class PervasiveTranslator(keras.Model):
    r"""Reads ids of source and target at once, gives logits for the next target id.

    logits $_t = W\,\mathrm{pervasive}(E_t y_{<t}, E_s x)_t + b$: the ids of both sides
    are embedded, every pair of them is a cell of a grid, and causal
    convolutions over the grid do all the rest. There is no encoder and no state but the
    last rows of the grid.

    Elbayad, Besacier, Verbeek 2018, "Pervasive attention: 2D convolutional neural
    networks for sequence-to-sequence prediction", arXiv:1808.03867.

    Args:
        attention: a ``PervasiveAttention``.
        source_size, target_size: numbers of ids; id 0 is padding on both sides.
        width: of the embeddings of each side.
        dropout, seed: of the embeddings and of what is read.

    Call arguments:
        inputs: the dict or pair of ``source`` (B, S) and ``target`` (B, T) ids, the
            target beginning with its start mark.
        return_attention_scores: also return the weights (B, T, S).

    Returns: logits (B, T, target_size). ``encode``, ``initial_state`` and ``step`` are
    what ``Searcher`` decodes with; a step costs one row of the grid.
    """

    def __init__(
        self,
        attention,
        source_size,
        target_size,
        width=128,
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(attention, dict):
            attention = keras.saving.deserialize_keras_object(attention)
        if not isinstance(attention, PervasiveAttention):
            raise ValueError(
                f"attention must be a PervasiveAttention. Got {attention!r}."
            )
        self.attention = attention
        self.source_size, self.target_size = source_size, target_size
        self.width, self.dropout, self.seed = width, dropout, seed
        self.source_words = keras.layers.Embedding(
            source_size, width, name="source_words"
        )
        self.target_words = keras.layers.Embedding(
            target_size, width, name="target_words"
        )
        self.readout = keras.layers.Dense(target_size, name="readout")
        self.drop = keras.layers.Dropout(dropout, seed=seed)
        self.build()

    def build(self, inputs_shape=None):
        """Every size is known from the constructor; the input shapes are not needed."""
        shape = (None, None, self.width)
        for layer, shapes in (
            (self.source_words, [(None, None)]),
            (self.target_words, [(None, None)]),
            (self.attention, [shape, shape]),
        ):
            if not layer.built:
                layer.build(*shapes)
        if not self.readout.built:
            self.readout.build(self.attention.compute_output_shape(shape, shape))
        self.built = True

    # What search needs ---------------------------------------------------------------

    def encode(self, source, training=False):
        """The source (B, S) as memory: its vectors and which of them are real."""
        words = self.drop(self.source_words(source), training=training)
        return self.attention.prepare(words, value_mask=ops.not_equal(source, PAD))

    def initial_state(self, memory, length=None):
        """The rows of the grid before the first target, for any ``length``."""
        return self.attention.initial_state(memory)

    def step(self, tokens, memory, state):
        """The ids before (B,): logits (B, V), weights (B, 1, S) and the next state."""
        words = self.target_words(tokens)
        output, weights, state = self.attention.step(words, memory, state)
        return self.readout(output), weights, state

    # Training ------------------------------------------------------------------------

    def call(self, inputs, training=False, return_attention_scores=False):
        if isinstance(inputs, dict):
            source, target = inputs["source"], inputs["target"]
        else:
            source, target = inputs
        memory = self.encode(source, training)
        words = self.drop(self.target_words(target), training=training)
        output, weights = self.attention(
            words,
            memory["value"],
            value_mask=memory["mask"],
            return_attention_scores=True,
            training=training,
        )
        logits = self.readout(self.drop(output, training=training))
        return (logits, weights) if return_attention_scores else logits

    def get_config(self):
        return {
            **super().get_config(),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "source_size": self.source_size,
            "target_size": self.target_size,
            "width": self.width,
            "dropout": self.dropout,
            "seed": self.seed,
        }
