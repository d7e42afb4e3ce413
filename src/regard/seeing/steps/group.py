"""Named values that an expression reads with a dot."""

from collections.abc import Mapping
from typing import Any


class Group:
    """Named values that an expression reads with a dot: ``p.kernel``.

    ``made_of`` is what Keras makes the part or layer anew from whose settings they are.
    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, Any],
        made_of: Mapping[str, Any] | None = None,
    ):
        self.name, self.values, self.made_of = name, values, made_of or {}

    def options(self) -> dict[str, Any]:
        """What a part is made with: all that is not said of its class."""
        beside = ("kind", "made_of")
        return {n: each for n, each in self.values.items() if n not in beside}

    def get(self, name: str) -> Any:
        """The value of this name.

        Raises:
            ValueError: where there is none, with the names that there are.
        """
        if name not in self.values:
            known = ", ".join(self.values) or "nothing"
            raise ValueError(f"{self.name} has no {name!r}. It has: {known}.")
        return self.values[name]
