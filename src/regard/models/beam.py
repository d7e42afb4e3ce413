"""Batched beam search; with a beam of one it is greedy search."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from regard.models.decoding import decode, of_parents
from regard.models.ranking import NEVER, coverage_penalty, length_penalty, without

_DEPTH = 32  # ids in a column
_LOWEST = -3e38  # of float32
_FEW = 256  # ids that are ranked one by one


def beam_search(model, source, settings):
    """The ``settings.beam`` best sequences for each source (B, S), best first.

    Finished hypotheses stay in the beam and compete with the others by normalized
    score, so the search may end early without loss of a better one in the beam.
    Returns what ``Hypotheses`` holds, and overflow.
    """
    found = decode(model, source, settings, partial(_continued, settings))
    overflow = found.pop("overflow")
    lengths = ops.cast(ops.maximum(found["lengths"], 1), "float32")
    scores = found["log_probabilities"] / length_penalty(lengths, settings.length_alpha)
    if settings.coverage_beta:
        real = ops.cast(ops.not_equal(source, 0), "float32")[:, None]  # (B, 1, S)
        mean = ops.mean(found["alignments"], axis=2)  # over heads
        scores = scores + coverage_penalty(mean, real, settings.coverage_beta)
    order = ops.cast(ops.argsort(-scores, axis=1), "int32")
    found = {**found, "scores": scores}
    found = {name: of_parents(each, order) for name, each in found.items()}
    return {**found, "overflow": overflow}


@dataclass(frozen=True)
class _Held:
    """What continuations of hypotheses (B, K) are ranked by."""

    total: Any  # log probability until now
    mass: Any  # log of the sum of exponentials, over all ids
    penalty: Any  # of the length with one more id
    done: Any

    def of(self, parent):
        return _Held(*[of_parents(each, parent) for each in vars(self).values()])

    def totals(self, logits, ids):
        """Log probabilities (B, K, N) with one more id, and what ranks them.

        After the end there is only padding, at no cost.
        """
        total, mass, penalty, done = (each[..., None] for each in vars(self).values())
        padding = ops.where(ids == 0, 0.0, NEVER)
        totals = total + ops.where(done, padding, logits - mass)
        return totals, totals / penalty


def _continued(settings, at, logits, total, lengths, done):
    """The best continuations (B, K) of all hypotheses of a source together.

    The ids of a hypothesis are laid out in columns. The best K ids are in the K columns
    with the largest maxima, so no more than these are ranked id by id.
    """
    beam = total.shape[1]
    columns, ids = _in_columns(ops.cast(logits, "float32"))  # (B * K, R, C), (R, C)
    depth, width = ids.shape
    maxima = ops.max(columns, axis=1)  # all passes over all logits: these, and the mass
    mass = ops.reshape(_mass(columns, maxima), (-1, beam))
    longer = ops.cast(lengths, "float32") + ops.where(done, 0.0, 1.0)
    held = _Held(total, mass, length_penalty(longer, settings.length_alpha), done)
    maxima = _without_forbidden(maxima, columns, ids, settings.forbidden)
    maxima = ops.reshape(maxima, (-1, beam, width))
    place = _best(held.totals(maxima, ids[0])[1], beam)
    parent, column = place // width, place % width
    ids = column[..., None] + ids[:, 0]  # (B, K, R)
    first = ops.arange(ops.shape(parent)[0], dtype="int32")[:, None] * beam
    index = (first + parent)[..., None] * (depth * width) + ids
    some = ops.take(ops.reshape(columns, (-1,)), index)
    some = without(some, ids, settings.forbidden)
    totals, ranked = held.of(parent).totals(some, ids)
    place = _best(ranked, beam)
    token, total = (
        ops.take_along_axis(ops.reshape(each, (-1, beam * depth)), place, axis=1)
        for each in (ids, totals)
    )
    return of_parents(parent, place // depth), token, total


def _mass(columns, maxima):
    """Log of the sum of exponentials of columns (N, R, C) with these maxima: (N,)."""
    # Bounded, or XLA would take this maximum over all logits once more.
    top = ops.max(ops.maximum(maxima, _LOWEST), axis=1)
    sums = ops.sum(ops.exp(columns - top[:, None, None]), axis=(1, 2))
    return top + ops.log(sums)


def _without_forbidden(maxima, columns, ids, forbidden):
    """Maxima (N, C) of columns (N, R, C), anew for those with ids that never occur."""
    width = ids.shape[1]
    some = sorted({each % width for each in forbidden if each < width * ids.shape[0]})
    if not some:
        return maxima
    few = without(ops.take(columns, some, axis=2), ops.take(ids, some, 1), forbidden)
    place = np.zeros(width, "int32")
    place[some] = range(len(some))
    spread = ops.take(ops.max(few, axis=1), place, axis=1)
    return ops.where(np.isin(np.arange(width), some), spread, maxima)


def _in_columns(rows):
    """Rows (N, V) as (N, R, C) of ids (R, C), filled up with ids that never occur."""
    size = rows.shape[-1]
    depth = _DEPTH if size > _FEW else 1
    if size % depth:
        rows = ops.pad(rows, ((0, 0), (0, -size % depth)), constant_values=NEVER)
    ids = ops.reshape(ops.arange(rows.shape[-1], dtype="int32"), (depth, -1))
    return ops.reshape(rows, (-1, *ids.shape)), ids


def _best(ranked, count):
    """Where the largest of (B, K, N) are, counted over K and N: (B, count)."""
    flat = ops.reshape(ranked, (-1, ranked.shape[1] * ranked.shape[2]))
    return ops.cast(ops.top_k(flat, count)[1], "int32")
