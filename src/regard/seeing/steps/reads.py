"""What an expression of a card reads, and of which shapes."""

import ast
from collections.abc import Mapping, Set
from functools import cache
from typing import Any

import numpy as np

from regard.seeing.steps.expressions import chosen, computed, parsed


def lacking(read: Set[str], missing: Set[str], made: Set[str]) -> bool:
    """Whether something of this is not there."""
    return bool(missing & read or {n for n in read if n.startswith("made.")} - made)


@cache
def reads_of(expression: str) -> frozenset[str]:
    """The names an expression begins with, and what of earlier steps it reads."""
    if not expression:
        return frozenset()
    nodes = list(ast.walk(parsed(expression)))
    names = frozenset(each.id for each in nodes if isinstance(each, ast.Name))
    read = {ast.unparse(each) for each in nodes if isinstance(each, ast.Attribute)}
    return names | {each for each in read if each.startswith("made.")}


def asked_by(
    condition: str, reads: Mapping[str, str], known: Mapping[str, Any]
) -> dict[str, str]:
    """Of a step's own names those that its condition needs and that are known."""
    read = reads_of(condition)
    needed = {n: by for n, by in reads.items() if n.partition(".")[0] in read}
    return {n: by for n, by in needed.items() if reads_of(by) <= {*known}}


def shapes_of(
    node: ast.AST, names: Mapping[str, Any], found: dict | None = None
) -> dict[str, tuple[int, ...]]:
    """The arrays an expression reads, by their last name."""
    found = {} if found is None else found
    if isinstance(node, ast.Lambda):
        return found
    if isinstance(node, ast.IfExp):
        return shapes_of(chosen(node, names), names, found)
    if isinstance(node, (ast.Name, ast.Attribute)):
        value = computed(node, names)
        if isinstance(value, np.ndarray) and value.ndim:
            name = ast.unparse(node).rpartition(".")[2]
            found[name.rpartition("__")[2]] = value.shape
        return found
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (
            isinstance(node, ast.Call) and child is node.func
        ):
            shapes_of(child, names, found)
    return found
