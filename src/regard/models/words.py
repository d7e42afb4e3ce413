"""Ids and the vectors of words, for models that read and write them."""

import keras

PAD = 0  # the id that means nothing, on both sides


def word_table(size, width, name):
    """An embedding whose vectors have length 1 at the start, right for logits."""
    start = keras.initializers.RandomNormal(stddev=width**-0.5)
    return keras.layers.Embedding(size, width, embeddings_initializer=start, name=name)


def read_words(table, ids):
    """The vectors of ids; networks read longer ones than logits need."""
    return table(ids) * table.output_dim**0.5


def source_and_target(inputs):
    """The two sides of a model's input: a dict or a pair of ids."""
    if isinstance(inputs, dict):
        return inputs["source"], inputs["target"]
    source, target = inputs
    return source, target


def build(layer, *shapes):
    """Build a part; those that come from a saved model are built already."""
    if not layer.built:
        layer.build(*shapes)
