"""Where new keys and values go in a cache, and at which places they stand.

A cache has ``capacity`` slots. A static one holds position ``p`` in slot ``p``, a ring
in slot ``p mod capacity``, over whatever stood there. Padding takes no slot and no
position, so a padded prompt leaves the cache of the same prompt without padding.
"""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Int, Shaped
from keras import ops

from regard.core.shapes import is_static, sizes_of

Tensor = Any


@dataclass(frozen=True)
class Chunk:
    """Tokens that come after ``start`` others; ``keep`` says which of them are real.

    ``places`` are their positions, ``end`` the position after the last; all int32.
    ``fits``: it is known that a static cache has room for all.
    """

    start: Int[Tensor, " b"]
    keep: Bool[Tensor, "b t"] | None
    places: Int[Tensor, "b t"]
    end: Int[Tensor, " b"]
    fits: bool = False

    @classmethod
    def of(cls, start, length, keep=None):
        """``length`` tokens, of which ``keep`` (B, T) are real, all where None."""
        start = ops.cast(start, "int32")
        if keep is None:
            places = ops.expand_dims(start, 1) + ops.arange(length, dtype="int32")
            return cls(start, None, places, start + ops.cast(length, "int32"))
        real = ops.cast(keep, "int32")
        before = ops.cast(ops.cumsum(real, axis=1), "int32") - 1
        places = ops.maximum(ops.expand_dims(start, 1) + before, 0)
        return cls(start, keep, places, start + ops.cast(ops.sum(real, 1), "int32"))

    def order(self, length):
        """Indices (B, T) of the tokens, the real ones first, or None where all are."""
        if self.keep is None:
            return None
        index = ops.arange(length, dtype="int32")
        last = ops.where(self.keep, index, index + ops.cast(length, "int32"))
        return ops.cast(ops.argsort(last, axis=1), "int32")


def held_positions(end: Int[Tensor, " b"], capacity: int, ring: bool):
    """The position every slot holds once ``end`` tokens came, -1 for none: (B, C)."""
    slots = ops.arange(capacity, dtype="int32")
    last = ops.expand_dims(ops.cast(end, "int32"), 1) - 1  # (B, 1)
    if ring:
        places = last - ops.mod(last - slots, capacity)
    else:
        places = ops.where(slots <= last, slots, -1)
    return ops.maximum(places, -1)


def write(
    kept: Shaped[Tensor, "b h c d"],
    new: Shaped[Tensor, "b h t d"],
    chunk: Chunk,
    ring: bool,
) -> Shaped[Tensor, "b h c d"]:
    """The cache with the chunk's tokens in their slots.

    Where they do not all fit, a static cache drops the last, a ring its oldest.
    """
    capacity, length = kept.shape[2], ops.shape(new)[2]
    start = ops.expand_dims(chunk.start, 1)
    rank = held_positions(chunk.end, capacity, ring) - start  # (B, C), < 0: older
    written = ops.expand_dims(ops.expand_dims(rank >= 0, 1), -1)
    source = ops.clip(rank, 0, length - 1)
    order = chunk.order(length)
    if order is not None:
        source = ops.take_along_axis(order, source, axis=1)
    source = ops.expand_dims(ops.expand_dims(source, 1), -1)
    new = ops.take_along_axis(new, source, axis=2)
    return ops.where(written, ops.cast(new, kept.dtype), kept)


@dataclass(frozen=True)
class Slot:
    """Where one token goes: its slot of every sequence, worked out once for a step.

    ``came`` (B,) says which sequences it really comes to, None where all.
    """

    number: Int[Tensor, " b"]
    came: Bool[Tensor, " b"] | None

    @classmethod
    def of(cls, chunk: Chunk, capacity, ring):
        """A hidden token is left out; one that finds a static cache full is dropped."""
        came = None if chunk.keep is None else chunk.end > chunk.start
        if ring:
            return cls(chunk.start % capacity, came)
        if not chunk.fits:
            room = chunk.start < capacity
            came = room if came is None else ops.logical_and(came, room)
        return cls(ops.minimum(chunk.start, capacity - 1), came)

    def write(self, kept, new, rows):
        """The cache (B, H, C, D) with the token (B, H, 1, D): one slot changes."""
        width = sizes_of(kept)[-1]
        if is_static(width) and not width:
            return kept
        new = ops.cast(new, kept.dtype)
        if self.came is not None:
            place = ops.reshape(self.number, (-1, 1, 1, 1))
            place = ops.broadcast_to(place, ops.shape(new))
            before = ops.take_along_axis(kept, place, axis=2)
            new = ops.where(ops.reshape(self.came, (-1, 1, 1, 1)), new, before)
        flat = ops.reshape(kept, (-1, width))  # of all sequences, heads and slots
        flat = ops.scatter_update(flat, rows, ops.reshape(new, (-1, width)))
        return ops.reshape(flat, ops.shape(kept))

    def rows(self, batch, heads, capacity):
        """(B * H, 1): the row that is written for every sequence and head."""
        first = ops.arange(batch * heads, dtype="int32") * capacity
        first = ops.reshape(first, (batch, heads)) + ops.expand_dims(self.number, 1)
        return ops.reshape(first, (-1, 1))


@dataclass(frozen=True)
class Reading:
    """What a chunk's queries read: tensors with S columns, by name.

    ``places`` (B, S) are the positions of the columns, ``real`` (B, S) says which hold
    a token.
    """

    kept: dict[str, Tensor]
    places: Int[Tensor, "b s"]
    real: Bool[Tensor, "b s"]


def advance(
    kept: dict[str, Tensor], new: dict[str, Tensor], chunk: Chunk, ring: bool
) -> tuple[dict[str, Tensor], Reading]:
    """Both cache and chunk, tensors (B, H, C | T, D): the cache after, and the reading.

    The columns are the slots of the cache after. Several tokens on their way into a
    ring push out others that the first of them still see: there the slots before and
    then the tokens are the columns.
    """
    first = next(iter(kept))
    capacity = kept[first].shape[2]
    if new[first].shape[2] == 1:
        slot = Slot.of(chunk, capacity, ring)
        rows = {  # the same of keys and values, where they have as many heads
            each.shape[1]: slot.rows(*sizes_of(each)[:3])
            for each in {each.shape[1]: each for each in kept.values()}.values()
        }
        after = {
            name: slot.write(each, new[name], rows[each.shape[1]])
            for name, each in kept.items()
        }
    else:
        after = {name: write(kept[name], new[name], chunk, ring) for name in kept}
    if not ring or new[first].shape[2] == 1:
        places = held_positions(chunk.end, capacity, ring)
        return after, Reading(after, places, places >= 0)
    places = held_positions(chunk.start, capacity, ring)
    both = {
        name: ops.concatenate([kept[name], ops.cast(new[name], kept[name].dtype)], 2)
        for name in kept
    }
    keep = ops.ones_like(chunk.places, dtype="bool")
    real = [places >= 0, keep if chunk.keep is None else chunk.keep]
    places = ops.concatenate([places, chunk.places], axis=1)
    return after, Reading(both, places, ops.concatenate(real, axis=1))


def overflowed(state: Any) -> Bool[Tensor, ""]:
    """True where any cache in a nested state was full when a token came."""
    if isinstance(state, dict):
        flags = [
            ops.any(ops.cast(each, "bool")) if name == "overflow" else overflowed(each)
            for name, each in state.items()
        ]
    elif isinstance(state, (list, tuple)):
        flags = [overflowed(each) for each in state]
    else:
        flags = []
    found = ops.zeros((), dtype="bool")
    for flag in flags:
        found = ops.logical_or(found, flag)
    return found
