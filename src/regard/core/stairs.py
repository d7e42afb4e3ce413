"""A triangle of visible pairs in steps: later queries read more keys than earlier ones.

queries 0..3    keys 0..3        A causal mask hides half of all pairs. In n steps
queries 4..7    keys 0..7        only (n + 1) / 2n of them are computed.
"""

from dataclasses import dataclass
from typing import Any

from regard.core.dense import Visibility
from regard.core.scopes import Grid
from regard.core.scopes.scope import joint_band
from regard.core.shapes import is_static

Tensor = Any
SHORTEST = 256  # rows of a step
WORTH = 0.8  # the share of pairs that must not be exceeded


@dataclass(frozen=True)
class Step:
    """Some queries, and all the keys that any of them may see."""

    rows: slice
    columns: slice

    def of(self, visibility: Visibility) -> Visibility:
        """What these queries may see of these keys."""
        grid = visibility.grid
        own = Grid(
            grid.query_positions[..., self.rows],
            grid.key_positions[..., self.columns],
            grid.query_index[self.rows],
            grid.key_index[self.columns],
        )
        masks = {name: self._cut(mask) for name, mask in visibility.masks.items()}
        return Visibility(masks, visibility.scopes, own)

    def _cut(self, mask):
        """Of (B|1, H|1, T|1, S|1)."""
        rows = self.rows if mask.shape[2] != 1 else slice(None)
        columns = self.columns if mask.shape[3] != 1 else slice(None)
        return mask[:, :, rows, columns]


def steps_of(visibility: Visibility, length, memory, count: int) -> list[Step]:
    """At most ``count`` steps, or none where they would spare little."""
    if not visibility.scopes or not visibility.grid.aligned:
        return []
    band = joint_band(visibility.scopes.values())
    if band is None or not is_static(length, memory):
        return []
    left, right = band
    size = max(SHORTEST, -(-length // count))
    steps = []
    for first in range(0, length, size):
        last = min(first + size, length)
        place = memory - length  # of the first query
        columns = max(0, first + place - left), min(memory, last + place + right)
        steps.append(Step(slice(first, last), slice(*map(int, columns))))
    pairs = sum(
        (step.rows.stop - step.rows.start) * (step.columns.stop - step.columns.start)
        for step in steps
    )
    empty = any(step.columns.stop <= step.columns.start for step in steps)
    return [] if empty or pairs > WORTH * length * memory else steps
