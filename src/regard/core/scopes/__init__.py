"""Who may look at whom: scopes and their algebra.

A scope is a boolean mask computed from positions (True = may attend). It is a small
immutable expression, combined with ``&``, ``|`` and ``~``, and evaluated only for the
rows that are needed.
"""

from regard.core.scopes.blocks import Blocks, Everywhere, big_bird
from regard.core.scopes.data import Documents, Padding
from regard.core.scopes.grid import Grid, check_integer, column, integers, row
from regard.core.scopes.places import (
    Causal,
    Dilated,
    Neighbourhood,
    Prefix,
    Strided,
    Window,
)
from regard.core.scopes.scope import Both, Either, Inverse, Scope, check_scope

__all__ = [
    "Blocks",
    "Both",
    "Causal",
    "Dilated",
    "Documents",
    "Either",
    "Everywhere",
    "Grid",
    "Inverse",
    "Neighbourhood",
    "Padding",
    "Prefix",
    "Scope",
    "Strided",
    "Window",
    "big_bird",
    "check_integer",
    "check_scope",
    "column",
    "integers",
    "row",
]
