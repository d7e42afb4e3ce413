"""What many rows of a page share is kept once; they hold its number."""

from __future__ import annotations

import json
from typing import Any


class Once:
    """Things without repetition, in the order they came."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, thing: Any) -> int:
        """The number of this thing, kept now if it is new."""
        written = json.dumps(thing, sort_keys=True)
        if written not in self._numbers:
            self._numbers[written] = len(self.things)
            self.things.append(thing)
        return self._numbers[written]


class Shared:
    """Of all rows: kinds of steps, steps, and the numbers they come to."""

    def __init__(self) -> None:
        self.kinds, self.steps, self.vectors = Once(), Once(), Once()

    def packed(self) -> dict[str, list[Any]]:
        """As the page takes them."""
        return {name: each.things for name, each in vars(self).items()}
