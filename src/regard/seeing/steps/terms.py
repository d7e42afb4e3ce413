"""What a score is made of: what is added up in it, and whether of its key alone."""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.seeing.steps.expressions import chosen, computed


def terms_of(node: ast.expr, names: Mapping[str, Any], key: int) -> np.ndarray | None:
    """The entries (D,) of the sum in an expression that has one score for each key.

    Of ``dot(q, k)`` the products, of ``sum(x, -1)`` the entries of x; None where the
    expression holds no such sum, or what is added is no row for each key.
    """
    added = _added(node, names)
    if added is None:
        return None
    rows = np.asarray(added)
    return rows[key] if rows.ndim == 2 and key < len(rows) else None


def of_its_key(node: ast.expr, names: Mapping[str, Any], scores: np.ndarray) -> bool:
    """Whether each score comes of its own key, wherever that stands.

    Keys in another order then have the same scores in that order; computed once more.
    """
    read = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    key: Any = names.get("key")
    if "key" not in read or np.ndim(key) != 2 or np.shape(scores) != (len(key),):
        return False
    again = computed(node, {**names, "key": key[::-1]})
    return bool(np.allclose(again[::-1], scores, rtol=1e-9, equal_nan=True))


def _added(node: ast.AST, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.IfExp):
        return _added(chosen(node, names), names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "dot":
            left, right = (computed(each, names) for each in node.args)
            return left * right
        if node.func.id == "sum" and len(node.args) == 2:
            return computed(node.args[0], names)
    inside = (_added(each, names) for each in ast.iter_child_nodes(node))
    return next((each for each in inside if each is not None), None)
