r"""TensorFlow: a block of rows of all heads after another, with its own gradient.

Weights are softmax again in the gradient, which TensorFlow does in one kernel:

    dv = p^T g,   ds = p * (g v^T - sum(g * o)),   dq = ds k,   dk = ds^T q
"""

from typing import Any

import tensorflow as tf

from regard.core.native.pairs import HIDDEN, pairs_of

Tensor = Any
TAKES_BIAS = False
BLOCK = 1 << 21  # scores in a block over batch and heads, 8 MB


def attend(
    query: Tensor, key: Tensor, value: Tensor, visibility: Any, bias=None
) -> Tensor:
    """(B,H,T,D), (B,G,S,D), (B,G,S,Dv) -> context (B,H,T,Dv)."""
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = tf.repeat(key, shared, 1), tf.repeat(value, shared, 1)
    walk = _Walk(query, key, visibility)

    @tf.custom_gradient
    def run(query, key, value):
        context = walk.forward(query, key, value)

        def gradient(upstream):
            return walk.backward(query, key, value, context, upstream)

        return context, gradient

    return run(query, key, value)


class _Walk:
    """Blocks of rows, their masks, and the two walks over them."""

    def __init__(self, query, key, visibility):
        batch, heads, length, _ = query.shape
        memory = key.shape[2]
        self.length = tf.shape(query)[2] if length is None else length
        known = None not in (batch, heads, length, memory)
        planes = batch * heads if batch else 32
        most = max(16, BLOCK // (planes * max(memory or 4096, 1)))
        if known:  # equal blocks
            most = -(-length // -(-length // most))
        self.rows = most
        self.count = (self.length + most - 1) // most
        padded = None if known and length % most == 0 else self.count * most
        self.padded = padded
        self.tensors, self.seen = pairs_of(visibility, self.length, padded)

    def forward(self, query, key, value):
        queries = self.split(query)

        def step(index, context):
            weights, empty = self.weights(index, queries, key)
            read = tf.matmul(weights, value)
            if empty is not None:
                read = tf.where(empty, tf.zeros_like(read), read)
            return index + 1, context.write(index, read)

        start = (0, tf.TensorArray(query.dtype, self.count))
        _, context = self.loop(step, start)
        return self.join(context.stack(), query, value.shape[-1])

    def backward(self, query, key, value, context, upstream):
        shift = tf.reduce_sum(context * upstream, axis=-1, keepdims=True)
        queries, above, shift = map(self.split, (query, upstream, shift))

        def step(index, found, keys, values):
            weights, empty = self.weights(index, queries, key)
            given = above[index]
            if empty is not None:
                given = tf.where(empty, tf.zeros_like(given), given)
            values += tf.matmul(weights, given, transpose_a=True)
            slopes = tf.matmul(given, value, transpose_b=True) - shift[index]
            slopes = weights * slopes
            keys += tf.matmul(slopes, queries[index], transpose_a=True)
            return index + 1, found.write(index, tf.matmul(slopes, key)), keys, values

        found = tf.TensorArray(query.dtype, self.count)
        start = (0, found, tf.zeros_like(key), tf.zeros_like(value))
        _, found, keys, values = self.loop(step, start)
        return self.join(found.stack(), query, query.shape[-1]), keys, values

    def weights(self, index, queries, key):
        """Weights (B, H, rows, S) of a block, and which rows see nothing."""
        scores = tf.matmul(queries[index], key, transpose_b=True)
        mask = self.seen.of(self.tensors, index * self.rows, self.rows)
        if mask is None:
            return tf.nn.softmax(scores), None
        empty = tf.logical_not(tf.reduce_any(mask, axis=-1, keepdims=True))
        return tf.nn.softmax(tf.where(mask, scores, HIDDEN)), empty

    def loop(self, step, start):
        """One block after another, never two at once."""
        return tf.while_loop(
            lambda index, *_: index < self.count, step, start, parallel_iterations=1
        )

    def split(self, tensor):
        """(B, H, T, X) -> (blocks, B, H, rows, X), the last rows filled with zeros."""
        if self.padded is not None:
            missing = self.padded - self.length
            tensor = tf.pad(tensor, ((0, 0), (0, 0), (0, missing), (0, 0)))
        batch, heads, _, width = tf.unstack(tf.shape(tensor))
        shape = (batch, heads, self.count, self.rows, width)
        return tf.transpose(tf.reshape(tensor, shape), (2, 0, 1, 3, 4))

    def join(self, blocks, query, width):
        """Undo ``split``."""
        blocks = tf.transpose(blocks, (1, 2, 0, 3, 4))
        batch, heads = tf.shape(query)[0], tf.shape(query)[1]
        shape = (batch, heads, self.count * self.rows, width)
        joined = tf.reshape(blocks, shape)[:, :, : self.length]
        return tf.ensure_shape(joined, (*query.shape[:3], width))
