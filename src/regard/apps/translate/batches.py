"""Length-bucketed batches of few static shapes, in an order that can be resumed.

A compiled training step is compiled once for each shape. Every pair falls into the
first bucket both of its sides fit into; a bucket has one shape, its batches are filled
up with empty rows where pairs run out, and the number of rows follows from a budget of
target positions. The order depends on `(seed, epoch)` alone, so a run that stopped
after `n` batches goes on with batch `n`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from regard.apps.special_ids import BOS, EOS, PAD

# (pair, epoch) -> the ids of both sides, drawn anew for this epoch.
Redraw = Callable[[int, int], tuple[Sequence[int], Sequence[int]]]
_SLACK = 1.25  # room for redrawn texts: dropping 1 merge in 10 makes them 1.2 as long


class Batch(NamedTuple):
    """Integer ids, 0 where there is nothing.

    Shapes: `source` (B,S) ends in eos; `target_input` (B,T) begins with bos;
    `target_output` (B,T) is the same shifted by one and ends in eos; `rows` (B,) holds
    the index of each pair, -1 for an empty row.
    """

    source: np.ndarray
    target_input: np.ndarray
    target_output: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Bucket:
    """The shape of one kind of batch: rows and lengths, end marks included."""

    rows: int
    source_length: int
    target_length: int


class BatchPlan:
    """The batches of every epoch over one set of encoded pairs.

    Args:
        sources, targets: piece ids, without begin and end.
        tokens: positions in a batch; a bucket has `tokens // length` rows, rounded
            to a multiple of 8.
        buckets: number of distinct shapes.
        max_length: longer pairs (in pieces, on either side) are left out and counted
            in `too_long`.
        seed: with the epoch, decides the order.
        redraw: draws the ids of a pair anew for each epoch; a side that outgrows its
            bucket keeps the ids it was given.

    Raises:
        ValueError: unequal numbers of sources and targets, nothing left to train on,
            or an argument out of range.
    """

    def __init__(
        self,
        sources: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        tokens: int = 2048,
        buckets: int = 6,
        max_length: int = 100,
        seed: int = 0,
        redraw: Redraw | None = None,
    ):
        _check(sources, targets, tokens, buckets, max_length)
        self.sources, self.targets, self.seed = sources, targets, seed
        self.redraw = redraw
        lengths = np.array(
            [(len(s) + 1, len(t) + 1) for s, t in zip(sources, targets, strict=True)]
        )
        size = lengths.max(axis=1)
        fits = size <= max_length + 1
        self.too_long = int((~fits).sum())
        if not fits.any():
            raise ValueError(
                f"max_length must leave some pairs. Got {max_length}, and the shortest "
                f"pair has {int(size.min()) - 1} pieces."
            )
        bounds = _bounds(size[fits], buckets)
        at = np.searchsorted(bounds, size)  # the bucket of each pair
        self._members = [np.flatnonzero(fits & (at == k)) for k in range(len(bounds))]
        room = _SLACK * lengths if redraw else lengths
        self.buckets = [
            Bucket(_rows(tokens, int(bound), members), *_round_up(room[members]))
            for bound, members in zip(bounds, self._members, strict=True)
        ]

    @property
    def batches_per_epoch(self) -> int:
        pairs = zip(self.buckets, self._members, strict=True)
        return sum(-(-len(members) // bucket.rows) for bucket, members in pairs)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on."""
        for bucket, members in self._order(epoch)[start:]:
            yield self._batch(self.buckets[bucket], members, epoch)

    def fixed(self) -> Iterator[Batch]:
        """Yield each pair once in a fixed order, for losses on a development set."""
        for bucket, members in zip(self.buckets, self._members, strict=True):
            for start in range(0, len(members), bucket.rows):
                yield self._batch(bucket, members[start : start + bucket.rows])

    def _order(self, epoch: int) -> list[tuple[int, np.ndarray]]:
        random = np.random.default_rng((self.seed, epoch))
        order = []
        for at, (bucket, members) in enumerate(
            zip(self.buckets, self._members, strict=True)
        ):
            mixed = random.permutation(members)
            parts = range(0, len(mixed), bucket.rows)
            order += [(at, mixed[start : start + bucket.rows]) for start in parts]
        return [order[i] for i in random.permutation(len(order))]

    def _batch(
        self, bucket: Bucket, members: np.ndarray, epoch: int | None = None
    ) -> Batch:
        shape = (bucket.rows, bucket.target_length)
        source = np.full((bucket.rows, bucket.source_length), PAD, "int32")
        target_input, target_output = np.full((2, *shape), PAD, "int32")
        rows = np.full(bucket.rows, -1, "int32")
        rows[: len(members)] = members
        for row, pair in enumerate(members):
            text, translation = self._ids(int(pair), bucket, epoch)
            source[row, : len(text) + 1] = [*text, EOS]
            target_input[row, : len(translation) + 1] = [BOS, *translation]
            target_output[row, : len(translation) + 1] = [*translation, EOS]
        return Batch(source, target_input, target_output, rows)

    def _ids(
        self, pair: int, bucket: Bucket, epoch: int | None
    ) -> tuple[Sequence[int], Sequence[int]]:
        given = self.sources[pair], self.targets[pair]
        if self.redraw is None or epoch is None:
            return given
        source, target = self.redraw(pair, epoch)
        return (
            source if len(source) < bucket.source_length else given[0],
            target if len(target) < bucket.target_length else given[1],
        )


def _bounds(sizes: np.ndarray, buckets: int) -> np.ndarray:
    """Upper lengths of the buckets, even numbers, for the fewest padded positions.

    Dynamic programming over the distinct lengths: `cost[j]` is the smallest number of
    positions for all pairs up to length j with the buckets used so far.
    """
    lengths, counts = np.unique(2 * -(-sizes // 2), return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])
    # one bucket from length i to length j: shape (i, j)
    alone = lengths * (below[None, 1:] - below[:-1, None]).astype(float)
    alone[np.tril_indices(len(lengths), -1)] = np.inf
    cost, starts = alone[0], []
    for _ in range(min(buckets, len(lengths)) - 1):
        ways = np.concatenate([alone[:1], cost[:-1, None] + alone[1:]])
        starts.append(ways.argmin(axis=0))
        cost = ways.min(axis=0)
    ends, at = [len(lengths) - 1], len(lengths) - 1
    for start in reversed(starts):
        if start[at] == 0:
            break
        at = start[at] - 1
        ends.append(at)
    return lengths[ends[::-1]]


def _round_up(lengths: np.ndarray) -> tuple[int, int]:
    source, target = 2 * np.ceil(lengths.max(axis=0) / 2)
    return int(source), int(target)


def _rows(tokens: int, length: int, members: np.ndarray) -> int:
    rows = max(8, tokens // length // 8 * 8)
    return min(rows, 8 * -(-len(members) // 8))


def _check(
    sources: Sequence, targets: Sequence, tokens: int, buckets: int, max_length: int
) -> None:
    if len(sources) != len(targets) or not len(sources):
        raise ValueError(
            "sources and targets must be of one length, and not empty. "
            f"Got {len(sources)} and {len(targets)}."
        )
    for name, value in (
        ("tokens", tokens),
        ("buckets", buckets),
        ("max_length", max_length),
    ):
        if value < 1:
            raise ValueError(f"{name} must be positive. Got {value}.")
