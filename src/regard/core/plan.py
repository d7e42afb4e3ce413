"""Which path the engine takes, from sizes and from what the parts declare."""

from dataclasses import dataclass

import keras

from regard.core.band import Reach, rows_for
from regard.core.limits import BAND_GAIN, limits, predicted_bytes
from regard.core.shapes import is_static

ASSUMED_PLANES = 32  # batch x heads where the batch is not known yet


@dataclass(frozen=True)
class Plan:
    """The path the engine takes, and why.

    ``bytes`` is what a forward call adds to the process besides its inputs and weights.
    """

    path: str
    rows: int | None
    reason: str
    bytes: int | None

    def __str__(self):
        size = "unknown" if self.bytes is None else f"{self.bytes / 1e6:.1f} MB"
        return f"{self.path}: {self.reason}; about {size} in a forward call"


@dataclass(frozen=True)
class Traits:
    """What a mechanism's parts allow.

    ``width``: of the largest intermediate per query-key pair. ``rowwise``: a row is
    normalized by itself. ``factored``: scores are products of positive features.
    ``fusable``: weights are plain softmax over products. ``reach``: how many keys
    before and after its place a query sees at most, where that is known. ``vector``:
    the widths of a projected key and value together. ``tables``: how many of pairs the
    normalizer holds at once.
    """

    width: int = 1
    rowwise: bool = True
    factored: bool = False
    fusable: bool = False
    reach: Reach | None = None
    vector: int = 0
    tables: float = 2.0


def plan(query_length, key_length, traits: Traits = Traits(), planes=None) -> Plan:
    """Choose the path from sizes alone; ``planes`` is batch x heads.

    A length that is not known yet counts as large.
    """
    if traits.factored:
        reason = "the score is a product of features, so keys are summed"
        return Plan("linear", None, reason, None)
    if not traits.rowwise:
        return Plan("dense", None, "the normalizer joins rows", None)
    if not is_static(query_length, key_length):
        if keras.backend.backend() == "torch":  # only while a graph is exported
            return Plan("dense", None, "torch exports loops of one length only", None)
        return Plan("rows", 16, "a length is not known before the call", None)
    planes, limit = planes or ASSUMED_PLANES, limits()
    row = planes * key_length * traits.width
    vectors = planes * (query_length + key_length) * traits.vector

    def planned(path, rows, reason, table):
        held = predicted_bytes(path, table, vectors, traits.tables)
        return Plan(path, rows, reason, held)

    if traits.reach is not None:
        rows, seen = rows_for(traits.reach), sum(traits.reach)
        width = rows + seen
        if BAND_GAIN * width <= key_length:
            blocks = planes * -(-query_length // rows)
            reason = f"a query sees at most {seen + 1} of {key_length} keys"
            if traits.fusable:
                reason = f"{reason}; no scores are kept"
                folded = blocks * (rows + width) * traits.vector
                held = predicted_bytes("folded", 0, folded)
                return Plan("band", rows, reason, held)
            return planned("band", rows, reason, blocks * rows * width * traits.width)
    if traits.fusable and query_length > 1 and query_length * row >= limit.fused:
        return planned("fused", None, "softmax over products keeps no scores", 0)
    if query_length == 1 or query_length * row <= limit.dense:
        reason = f"{query_length} x {key_length} is small"
        return planned("dense", None, reason, query_length * row)
    rows = max(1, min(query_length, limit.block // row))
    return planned("rows", rows, f"{query_length} x {key_length} is large", rows * row)
