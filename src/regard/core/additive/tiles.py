"""The walks for XLA: sums of sixteen terms at once, two terms by one division.

Everything is of one head of one example: query (T, D), key (S, D), vector (D,), where
T, S and D are multiples of STEP. Sixteen is where XLA's loops fill the processor's
vectors; the last axis of a tile is the one in the vectors.
"""

from typing import Any

from keras import ops

from regard.core.additive.ranges import settled
from regard.core.shapes import is_static, sizes_of

Tensor = Any
STEP = 16
TILE = 1 << 17  # scores in a block of rows, 0.5 MB


def scores(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """sum_d v_d tanh(q_id + k_jd), (T, S)."""
    near, met, fits = settled(query, key)

    def found(kind, query, key):
        queries, keys = kind.powers(query), kind.powers(key)
        return _scores(kind, queries, keys, vector)

    places = ops.cond(
        fits, lambda: found(_Powers, near, met), lambda: found(_Plain, query, key)
    )
    return ops.sum(vector) - 2.0 * places


def slopes(query: Tensor, key: Tensor, vector: Tensor, upstream: Tensor):
    """The gradients (T, D), (S, D), (D,) that follow from ``upstream`` (T, S)."""
    near, met, fits = settled(query, key)

    def found(kind, query, key):
        queries, keys = kind.powers(query), kind.powers(key)
        turned = ops.transpose(upstream)
        return (
            _sums(kind.slope, kind.join, keys, queries, turned),
            _sums(kind.slope, kind.join, queries, keys, upstream),
            ops.sum(_sums(kind.place, kind.join, keys, queries, turned), axis=-1),
        )

    queries, keys, places = ops.cond(
        fits, lambda: found(_Powers, near, met), lambda: found(_Plain, query, key)
    )
    scale = 4.0 * vector
    vectors = ops.sum(upstream) - 2.0 * places
    return ops.transpose(queries) * scale, ops.transpose(keys) * scale, vectors


class _Powers:
    """r = 1/(1 + ab) and r(1-r) = 1/(2 + ab + 1/(ab)) by their denominators."""

    @staticmethod
    def powers(tensor):
        """(N, D) -> e^2x and e^-2x, each (D, N)."""
        turned = 2.0 * ops.transpose(tensor)
        return ops.exp(turned), ops.exp(-turned)

    @staticmethod
    def place(first, second):
        return 1.0 + first[0] * second[0]

    @staticmethod
    def slope(first, second):
        return 2.0 + first[0] * second[0] + first[1] * second[1]

    @staticmethod
    def join(weights, terms):
        (one, other), (first, second) = weights, terms
        return (one * second + other * first) / (first * second)


class _Plain:
    """The same from tanh itself, for any range."""

    @staticmethod
    def powers(tensor):
        turned = ops.transpose(tensor)
        return turned, turned

    @staticmethod
    def place(first, second):
        return 0.5 - 0.5 * ops.tanh(first[0] + second[0])

    @staticmethod
    def slope(first, second):
        return 0.25 - 0.25 * ops.square(ops.tanh(first[0] + second[0]))

    @staticmethod
    def join(weights, terms):
        return weights[0] * terms[0] + weights[1] * terms[1]


def rows_of(length: int, memory: Any) -> int:
    """Rows of a block, a multiple of STEP: equal parts of the length."""
    most = max(TILE // memory, STEP) if is_static(memory) else STEP
    count = -(-length // most)
    return -(-length // (count * STEP)) * STEP


def _scores(kind, queries, keys, vector):
    """sum_d v_d place_ijd, (T, S), a block of rows after another."""
    width, length = queries[0].shape
    memory = sizes_of(keys[0])[1]
    rows = rows_of(length, keys[0].shape[1])
    vectors = ops.reshape(vector, (width // STEP, STEP))
    keys = ops.reshape(keys[0], (width // STEP, STEP, memory))
    queries = ops.reshape(queries[0], (width // STEP, STEP, length // rows, rows))

    def block(asked):  # (D / STEP, STEP, rows)
        def step(index, total):
            pairs = [
                kind.place((asked[index][unit][:, None],), (keys[index][unit][None],))
                for unit in range(STEP)
            ]
            return total + _joined(kind.join, vectors[index], pairs)

        start = ops.zeros((rows, memory), vector.dtype)
        return ops.fori_loop(0, width // STEP, step, start)

    found = ops.map(block, ops.transpose(queries, (2, 0, 1, 3)))
    return ops.reshape(found, (length, memory))


def _sums(term, join, over, along, weights):
    """sum_m w_mn term_dmn, (D, N): over (D, M), along (D, N), weights (M, N)."""
    width, count = sizes_of(over[0])
    length = sizes_of(along[0])[1]
    steps = count // STEP
    over = [ops.reshape(ops.transpose(x), (steps, STEP, width)) for x in over]
    weights = ops.reshape(weights, (steps, STEP, length))

    def step(index, total):
        terms = [
            term([each[index][place][:, None] for each in over], along)
            for place in range(STEP)
        ]
        return total + _joined(join, weights[index][:, None], terms)

    return ops.fori_loop(0, steps, step, ops.zeros((width, length), weights.dtype))


def _joined(join, weights, terms):
    """The sum of all terms by their weights, two at a time."""
    total = 0.0
    for place in range(0, STEP, 2):
        two = (weights[place], weights[place + 1])
        total = total + join(two, terms[place : place + 2])
    return total
