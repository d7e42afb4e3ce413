"""The walks for XLA: sums of sixteen terms at once, two terms by one division.

Everything is of one head of one example: query (T, D), key (S, D), vector (D,), where
T, S and D are multiples of STEP. Sixteen is where XLA's loops fill the processor's
vectors; the last axis of a tile is the one in the vectors.
"""

from functools import partial
from typing import Any

from keras import ops

from regard.core.additive.ranges import settled
from regard.core.shapes import is_static, sizes_of

Tensor = Any
STEP = 16
TILE = 1 << 17  # scores in a block of rows, 0.5 MB


def filled(query: Tensor, key: Tensor, vector: Tensor):
    """(P, T, D), (P, S, D), (D,) with zeros, up to sizes that the walks take."""
    rows, width = rows_of(query.shape[1], key.shape[1]), vector.shape[0]
    wide = (0, -width % STEP)
    query = ops.pad(query, ((0, 0), (0, -query.shape[1] % rows), wide))
    key = ops.pad(key, ((0, 0), (0, -key.shape[1] % STEP), wide))
    return query, key, ops.pad(vector, (wide,))


def scores(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """sum_d v_d tanh(q_id + k_jd), (T, S)."""
    ways, fits = _ways(query, key)
    return ops.sum(vector) - 2.0 * _scores(ways, fits, vector)


def slopes(query: Tensor, key: Tensor, vector: Tensor, upstream: Tensor):
    """The gradients (T, D), (S, D), (D,) that follow from ``upstream`` (T, S)."""
    ways, fits = _ways(query, key)
    back = [(kind, keys, queries) for kind, queries, keys in ways]
    turned = ops.transpose(upstream)
    queries = _sums("slope", back, fits, turned)
    keys = _sums("slope", ways, fits, upstream)
    places = ops.sum(_sums("place", back, fits, turned), axis=-1)
    scale = 4.0 * vector
    vectors = ops.sum(upstream) - 2.0 * places
    return ops.transpose(queries) * scale, ops.transpose(keys) * scale, vectors


def _ways(query, key):
    """Two ways to compute, each with what it needs of queries and keys, both (D, N).

    The first is taken where powers fit.
    """
    near, met, fits = settled(query, key)
    pairs = ((_Powers, near, met), (_Plain, query, key))
    return [
        (kind, kind.of(first), kind.of(second)) for kind, first, second in pairs
    ], fits


def _loop(fits, count, steps, start):
    """All steps in one way or the other.

    Not by a condition: inside one, XLA leaves all work to one processor.
    """
    turn = ops.where(fits, count, 0)
    total = ops.fori_loop(0, turn, steps[0], start)
    return ops.fori_loop(turn, count, steps[1], total)


class _Powers:
    """r = 1/(1 + ab) and r(1-r) = 1/(2 + ab + 1/(ab)) by their denominators."""

    @staticmethod
    def of(tensor):
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
    def add(total, weights, term):
        """One fused loop over all terms, two of them by one division."""
        sums = 0.0
        for place in range(0, STEP, 2):
            one, other, first, second = (
                *(weights[each] for each in (place, place + 1)),
                *(term(each) for each in (place, place + 1)),
            )
            sums = sums + (one * second + other * first) / (first * second)
        return total + sums


class _Plain:
    """The same from tanh itself, for any range."""

    @staticmethod
    def of(tensor):
        turned = ops.transpose(tensor)
        return turned, turned

    @staticmethod
    def place(first, second):
        return 0.5 - 0.5 * ops.tanh(first[0] + second[0])

    @staticmethod
    def slope(first, second):
        return 0.25 - 0.25 * ops.square(ops.tanh(first[0] + second[0]))

    @staticmethod
    def add(total, weights, term):
        """A loop: what is rarely run shall compile fast."""
        return ops.fori_loop(
            0, STEP, lambda place, sums: sums + weights[place] * term(place), total
        )


def rows_of(length: int, memory: Any) -> int:
    """Rows of a block, a multiple of STEP: equal parts of the length."""
    most = max(TILE // memory, STEP) if is_static(memory) else STEP
    count = -(-length // most)
    return -(-length // (count * STEP)) * STEP


def _scores(ways, fits, vector):
    """sum_d v_d place_ijd, (T, S), a block of rows after another."""
    width, length = ways[0][1][0].shape
    memory = sizes_of(ways[0][2][0])[1]
    rows = rows_of(length, ways[0][2][0].shape[1])
    count = width // STEP
    vectors = ops.reshape(vector, (count, STEP))
    queries, keys = [], []
    for _, (asked, *_), (met, *_) in ways:
        cut = ops.reshape(asked, (count, STEP, length // rows, rows))
        queries.append(ops.transpose(cut, (2, 0, 1, 3)))
        keys.append(ops.reshape(met, (count, STEP, memory)))

    def block(queries):  # each (D / STEP, STEP, rows)
        def step(way, index, total):
            kind, asked, met = ways[way][0], queries[way][index], keys[way][index]

            def term(unit):
                return kind.place((asked[unit][:, None],), (met[unit][None],))

            return kind.add(total, vectors[index], term)

        steps = [partial(step, way) for way in (0, 1)]
        return _loop(fits, count, steps, ops.zeros((rows, memory), vector.dtype))

    return ops.reshape(ops.map(block, queries), (length, memory))


def _sums(name, ways, fits, weights):
    """sum_m w_mn term_dmn, (D, N): over the first (D, M), for the second (D, N)."""
    width, count = sizes_of(ways[0][1][0])
    length = sizes_of(ways[0][2][0])[1]
    count = count // STEP
    over = [
        [ops.reshape(ops.transpose(x), (count, STEP, width)) for x in first]
        for _, first, _ in ways
    ]
    weights = ops.reshape(weights, (count, STEP, length))

    def step(way, index, total):
        kind, _, along = ways[way]
        each = [x[index] for x in over[way]]

        def term(place):
            return getattr(kind, name)([x[place][:, None] for x in each], along)

        return kind.add(total, weights[index][:, None], term)

    steps = [partial(step, way) for way in (0, 1)]
    return _loop(fits, count, steps, ops.zeros((width, length), weights.dtype))
