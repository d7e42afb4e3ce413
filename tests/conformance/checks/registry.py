"""The list of checks, and how one joins it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A property, the tags a case must have for it, and whether it compiles code."""

    name: str
    run: Callable
    needs: frozenset[str]
    compiles: bool = False


CHECKS: list[Check] = []


def check(*needs: str, compiles: bool = False):
    """Register `function(subject)` under its own name."""

    def register(function):
        CHECKS.append(Check(function.__name__, function, frozenset(needs), compiles))
        return function

    return register
