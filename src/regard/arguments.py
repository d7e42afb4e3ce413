"""Arguments handed on by name to another function, checked where they enter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

_BY_NAME = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def check_names(
    function: Callable[..., Any],
    given: Iterable[str],
    callee: Callable[..., Any],
    also: Iterable[str] = (),
) -> None:
    """Raise for a name that neither the function nor the one it hands on to takes.

    Raises:
        TypeError: with the unknown name, the nearest one, and all that there are.
    """
    own, further = (signature(each).parameters for each in (function, callee))
    if any(each.kind is Parameter.VAR_KEYWORD for each in further.values()):
        return
    known = [
        name for one in (own, further) for name in one if one[name].kind in _BY_NAME
    ]
    for name in given:
        if name in known or name in also:
            continue
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise TypeError(
            f"{function.__name__} has no parameter {name!r}. {hint}"
            f"It takes {', '.join(dict.fromkeys(known))}."
        )
