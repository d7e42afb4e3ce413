"""What one layer did while it was captured."""

from dataclasses import fields
from typing import Any

from regard.trace import Trace


class Calls(list):
    """The traces of one layer, in the order of its calls.

    Fields of a trace read from here are those of the last call: ``maps[name].weights``.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in {f.name for f in fields(Trace)}:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        if not self:
            raise AttributeError(
                f"The layer was not called while captured, so it has no {name}."
            )
        return getattr(self[-1], name)
