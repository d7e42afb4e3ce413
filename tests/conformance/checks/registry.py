"""The list of checks, and how one joins it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A property, and the tags a case must have for it.

    On the backends `sampled_on` it runs on a few mechanisms only, because it costs much
    there and shows little that the others do not.
    """

    name: str
    run: Callable
    needs: frozenset[str]
    sampled_on: frozenset[str] = frozenset()


CHECKS: list[Check] = []


def check(*needs: str, sampled_on: tuple[str, ...] = ()):
    """Register `function(subject)` under its own name."""

    def register(function):
        rare = frozenset(sampled_on)
        CHECKS.append(Check(function.__name__, function, frozenset(needs), rare))
        return function

    return register
