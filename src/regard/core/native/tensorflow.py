r"""TensorFlow: a few heads and a block of rows at a time, with its own gradient.

Weights are softmax again in the gradient, which TensorFlow does in one kernel:

    dv = p^T g,   ds = p * (g v^T - sum(g * o)),   dq = ds k,   dk = ds^T q

The sum rides along as one more feature of g, against a one in v. Many rows of few heads
are faster than few rows of many.
"""

from typing import Any

import tensorflow as tf

from regard.core.native.blocks import equal_rows
from regard.core.native.pairs import HIDDEN, pairs_of

Tensor = Any
APPLIES = False  # a bias and a scale
BLOCK = 1 << 21  # scores of a tile, 8 MB
UNKNOWN = 4096  # what a length that is not known counts


def attend(query: Tensor, key: Tensor, value: Tensor, visibility, bias=None) -> Tensor:
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
    """Over blocks of rows, and in each over tiles of heads."""

    def __init__(self, query, key, visibility):
        self.dtype = query.dtype
        self.batch, self.length = tf.shape(query)[0], query.shape[2]
        known = self.length is not None and key.shape[2] is not None
        longest, memory = self.length or UNKNOWN, max(key.shape[2] or UNKNOWN, 1)
        self.rows = equal_rows(longest, memory, BLOCK)
        divisors = (n for n in range(1, query.shape[1] + 1) if query.shape[1] % n == 0)
        self.heads = max(
            n for n in divisors if n == 1 or n * self.rows * memory <= BLOCK
        )
        self.length = self.length if known else tf.shape(query)[2]
        self.count = -(-self.length // self.rows)
        padded = self.count * self.rows
        self.padded = None if known and padded == self.length else padded
        self.tiles = query.shape[1] // self.heads  # of one example
        self.tensors, self.seen = pairs_of(visibility, self.length, self.padded)

    def forward(self, query, key, value):
        queries, keys, values = self.split(query), self.whole(key), self.whole(value)

        def block(index, context):
            mask = self.seen.of(self.tensors, index * self.rows, self.rows)

            def tile(number, found):
                weights, empty = self.weights(queries, keys, mask, index, number)
                read = tf.matmul(weights, values[number])
                if empty is not None:
                    read = tf.where(empty, tf.zeros_like(read), read)
                return number + 1, found.write(number, read)

            (found,) = self.over_tiles(tile, 1)
            return index + 1, context.write(index, found)

        start = (0, tf.TensorArray(query.dtype, self.count))
        _, context = _loop(self.count, block, start)
        return self.join(context.stack(), query, value.shape[-1])

    def backward(self, query, key, value, context, upstream):
        shift = tf.reduce_sum(context * upstream, axis=-1, keepdims=True)
        queries, keys = self.split(query), self.whole(key)
        above = self.split(tf.concat([upstream, -shift], -1))
        values = self.whole(tf.concat([value, tf.ones_like(value[..., :1])], -1))

        def block(index, found, key_sum, value_sum):
            mask = self.seen.of(self.tensors, index * self.rows, self.rows)

            def tile(number, query_slopes, key_slopes, value_slopes):
                weights, empty = self.weights(queries, keys, mask, index, number)
                given = above[index, number]
                if empty is not None:
                    given = tf.where(empty, tf.zeros_like(given), given)
                read = tf.matmul(weights, given[..., :-1], transpose_a=True)
                slopes = weights * tf.matmul(given, values[number], transpose_b=True)
                asked = queries[index, number]
                return (
                    number + 1,
                    query_slopes.write(number, tf.matmul(slopes, keys[number])),
                    key_slopes.write(
                        number, tf.matmul(slopes, asked, transpose_a=True)
                    ),
                    value_slopes.write(number, read),
                )

            own, key_slopes, value_slopes = self.over_tiles(tile, 3)
            found = found.write(index, own)
            return index + 1, found, key_sum + key_slopes, value_sum + value_slopes

        sums = (tf.zeros_like(keys), tf.zeros_like(values[..., :-1]))
        start = (0, tf.TensorArray(query.dtype, self.count), *sums)
        _, found, keys, values = _loop(self.count, block, start)
        slopes = self.join(found.stack(), query, query.shape[-1])
        return (
            slopes,
            tf.reshape(keys, tf.shape(key)),
            tf.reshape(values, tf.shape(value)),
        )

    def weights(self, queries, keys, mask, index, number):
        """Weights (heads, rows, S) of a tile, and which rows see nothing."""
        scores = tf.matmul(queries[index, number], keys[number], transpose_b=True)
        if mask is None:
            return tf.nn.softmax(scores), None
        example, first = number // self.tiles, number % self.tiles * self.heads
        mask = mask[example if mask.shape[0] != 1 else 0]  # (H | 1, rows, S)
        if mask.shape[0] != 1:
            mask = mask[first : first + self.heads]
        empty = tf.logical_not(tf.reduce_any(mask, axis=-1, keepdims=True))
        return tf.nn.softmax(tf.where(mask, scores, HIDDEN)), empty

    def over_tiles(self, tile, results):
        """What a tile gives, stacked over all of them: (tiles, heads, …) each."""
        count = self.batch * self.tiles
        found = [tf.TensorArray(self.dtype, count) for _ in range(results)]
        return [array.stack() for array in _loop(count, tile, (0, *found))[1:]]

    def split(self, tensor):
        """(B, H, T, X) -> (blocks, tiles, heads, rows, X), filled up with zeros."""
        if self.padded is not None:
            missing = self.padded - self.length
            tensor = tf.pad(tensor, ((0, 0), (0, 0), (0, missing), (0, 0)))
        shape = (self.batch * self.tiles, self.heads, self.count, self.rows)
        tensor = tf.reshape(tensor, (*shape, tensor.shape[-1]))
        return tf.transpose(tensor, (2, 0, 1, 3, 4))

    def join(self, blocks, query, width):
        """Undo ``split``."""
        blocks = tf.transpose(blocks, (1, 2, 0, 3, 4))
        shape = (self.batch, query.shape[1], self.count * self.rows, width)
        joined = tf.reshape(blocks, shape)[:, :, : self.length]
        return tf.ensure_shape(joined, (*query.shape[:3], width))

    def whole(self, tensor):
        """(B, H, S, X) -> (tiles, heads, S, X)."""
        shape = (self.batch * self.tiles, self.heads, tf.shape(tensor)[2])
        return tf.reshape(tensor, (*shape, tensor.shape[-1]))


def _loop(count, step, start):
    """One after another, never two at once."""
    return tf.while_loop(
        lambda index, *_: index < count, step, start, parallel_iterations=1
    )
