"""How heads find, read and write the slots of a memory, in NumPy.

R heads, N slots of width M.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.elementary import softmax, unit

Array = Any


def softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def by_content(key: Array, memory: Array, strength: Array) -> Array:
    """(R, N): the slots that resemble a key, by a softmax over cosines."""
    return softmax(strength * (unit(key) @ unit(memory).T))


def rotated_by(weights: Array, shares: Array) -> Array:
    """(R, N) moved by -K..K slots, in shares (R, 2 K + 1)."""
    reach = shares.shape[-1] // 2
    moves = range(-reach, reach + 1)
    moved = np.stack([np.roll(weights, by, -1) for by in moves], -1)
    return np.sum(moved * shares[:, None, :], -1)


def sharpened(weights: Array, power: Array) -> Array:
    """Each row to a power, divided by its sum."""
    return softmax(power * np.log(np.maximum(weights, 1e-30)))


def overwritten(memory: Array, weights: Array, erase: Array, add: Array) -> Array:
    """Heads (R, N) erase a part (R, M) of each slot, then add to it."""
    kept = np.prod(1.0 - weights[:, :, None] * erase[:, None, :], 0)
    return memory * kept + weights.T @ add


def used(usage: Array, wrote: Array, reads: Array, free: Array) -> Array:
    """What was written is in use until a read head frees it."""
    return (usage + wrote - usage * wrote) * np.prod(1.0 - free * reads, 0)


def free_slots(usage: Array) -> Array:
    """The freest slot first, each gets what those before it left."""
    found, left = np.zeros(len(usage)), 1.0
    for slot in np.argsort(usage, kind="stable"):
        found[slot] = (1.0 - usage[slot]) * left
        left *= usage[slot]
    return found


def linked(links: Array, precedence: Array, wrote: Array) -> Array:
    """How much each slot (row) was written right after each other."""
    moved = (1.0 - wrote[:, None] - wrote) * links + np.outer(wrote, precedence)
    return moved * (1.0 - np.eye(len(wrote)))


def ways_read(
    wanted: Mapping[str, Array], memory: Array, links: Array, before: Array
) -> Array:
    """(R, N): back, by content, or on, in the shares of the modes."""
    strength = 1.0 + softplus(wanted["read_strength"])
    alike = by_content(wanted["read_key"], memory, strength)
    modes = softmax(wanted["modes"])
    ways = np.stack([before @ links, alike, before @ links.T], -1)
    return np.sum(ways * modes[:, None, :], -1)
