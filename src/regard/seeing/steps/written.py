"""The formula of a step with the numbers of its row."""

import ast
from typing import Any

import numpy as np

from regard.cards import StepEntry
from regard.seeing.steps.expressions import parsed
from regard.seeing.steps.functions import EVALUATED
from regard.seeing.steps.numbers import shown_result
from regard.seeing.steps.writer import Writer

_LISTED = 12  # keys that are seen, by number


def written(entry: StepEntry, value: Any, writer: Writer) -> str:
    """The formula of a step with the numbers of its row, then what came out."""
    if value.dtype == bool:
        return _numbered(value)
    node, key = parsed(entry.by), writer.key
    result = shown_result(value if key is None else value[key], entry.name)
    if _speaks_alone(node, key):
        return result
    text = writer.write(node)
    plain = r"(\dots)" in text or text == result
    return result if plain else f"{text} = {result}"


def _speaks_alone(node: ast.expr, key: int | None) -> bool:
    """Whether what came out is all that is written."""
    if isinstance(node, ast.Subscript):  # of a call it would be the result once more
        return key is not None or isinstance(node.value, ast.Call)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        told = node.func.id != "where" or key is None
        return told and node.func.id in EVALUATED
    return False


def _numbered(value: np.ndarray) -> str:
    """Which keys are seen, by number."""
    found = [str(number) for number in np.flatnonzero(value)]
    more = [r"\dots"] if len(found) > _LISTED else []
    return f"j = {', '.join(found[:_LISTED] + more)}" if value.ndim and found else ""
