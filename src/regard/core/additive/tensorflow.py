"""TensorFlow: one head of one example after another, each compiled by XLA."""

import sys
from types import FrameType
from typing import Any

import tensorflow as tf

from regard.core.additive import plain, tiles

Tensor = Any
LEAST = 1 << 19  # units of pairs, which must be worth a call of a compiled function


def pays(planes: int | None, units: int) -> bool:
    """True for so many heads of examples, and units of pairs in each of them.

    Never for a graph that leaves TensorFlow, which must be of plain operations.
    """
    return units >= LEAST and not _exporting()


def _exporting():
    """True while Keras makes a graph for export; nothing but the stack knows."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("keras.src.export."):
            return True
        frame = frame.f_back
    return False


_scores = tf.function(tiles.scores, jit_compile=True, autograph=False)
_slopes = tf.function(tiles.slopes, jit_compile=True, autograph=False)


@tf.custom_gradient
def kernel(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """(P, T, D), (P, S, D), (D,) -> sums (P, T, S)."""
    length, memory, width = query.shape[1], key.shape[1], query.shape[2]
    # A tape that saw them would ask XLA for the gradient of its loops.
    given = tuple(map(tf.stop_gradient, (query, key, vector)))

    def gradient(upstream):
        query, key, vector = tiles.filled(*given)
        missing = (query.shape[1] - length, key.shape[1] - memory)
        upstream = tf.pad(
            tf.stop_gradient(upstream), [(0, 0), *((0, each) for each in missing)]
        )
        queries, keys, vectors = _each(
            lambda each: _slopes(*each[:2], vector, each[2]),
            (query, key, upstream),
            (query.dtype,) * 3,
        )
        vectors = tf.reduce_sum(vectors, axis=0)[:width]
        return queries[:, :length, :width], keys[:, :memory, :width], vectors

    if plain.suits(query, key):
        return plain.sums(*given), gradient
    query, key, vector = tiles.filled(*given)
    found = _each(lambda each: _scores(*each, vector), (query, key), query.dtype)
    return found[:, :length, :memory], gradient


def _each(function, inputs, kinds):
    """One plane after another."""
    return tf.map_fn(function, inputs, fn_output_signature=kinds, parallel_iterations=1)
