"""The expressions by which cards say how a number comes about, computed in float64.

They are written as Python writes them, over arrays of a trace and the functions of
``functions``: ``sum(p.score_vector * tanh(query + key), -1)``. Nothing else of Python
is there: an expression reads what it is given and answers with an array.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from regard.seeing.steps.functions import FUNCTIONS
from regard.seeing.steps.group import Group

_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_COMPARED: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: Mapping[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: np.logical_not,
}


@cache
def parsed(text: str) -> ast.expr:
    """The tree of an expression; a line may go on in the next."""
    return ast.parse(f"({text})", mode="eval").body


def computed(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression over these names.

    Raises:
        ValueError: for a name that is unknown, or Python that is not of the language.
    """
    found = _VALUES.get(type(node))
    if found is None:
        raise ValueError(f"a card cannot say: {ast.unparse(node)}")
    return found(node, names)


def name_value(name: str, names: Mapping[str, Any]) -> Any:
    if name in names:
        return names[name]
    if name in FUNCTIONS:
        return FUNCTIONS[name].compute
    known = ", ".join(sorted(names))
    raise ValueError(
        f"{name!r} is neither in the trace nor a function. Known: {known}."
    )


def _call(node: ast.Call, names: Mapping[str, Any]) -> Any:
    function = computed(node.func, names)
    given = [computed(each, names) for each in node.args]
    options = {
        each.arg: computed(each.value, names) for each in node.keywords if each.arg
    }
    return function(*given, **options)


def _function(node: ast.Lambda, names: Mapping[str, Any]) -> Callable[..., Any]:
    wanted = [each.arg for each in node.args.args]
    return lambda *given: computed(
        node.body, {**names, **dict(zip(wanted, given, strict=True))}
    )


def _compare(node: ast.Compare, names: Mapping[str, Any]) -> Any:
    values = [computed(each, names) for each in (node.left, *node.comparators)]
    pairs = zip(node.ops, values[:-1], values[1:], strict=True)
    found = [_COMPARED[type(sign)](left, right) for sign, left, right in pairs]
    joined = found[0]
    for each in found[1:]:
        joined = np.logical_and(joined, each)
    return joined


def _boolean(node: ast.BoolOp, names: Mapping[str, Any]) -> Any:
    """As Python's own: what decided, and nothing after it is computed."""
    value: Any = None
    for each in node.values:
        value = computed(each, names)
        if bool(value) == isinstance(node.op, ast.Or):
            return value
    return value


def _choice(node: ast.IfExp, names: Mapping[str, Any]) -> Any:
    return computed(chosen(node, names), names)


def chosen(node: ast.IfExp, names: Mapping[str, Any]) -> ast.expr:
    """The branch that holds."""
    return node.body if computed(node.test, names) else node.orelse


def _attribute(node: ast.Attribute, names: Mapping[str, Any]) -> Any:
    group = computed(node.value, names)
    if not isinstance(group, Group):
        raise ValueError(f"only groups have parts. Got {ast.unparse(node)}.")
    return group.get(node.attr)


def _slice(node: ast.Slice, names: Mapping[str, Any]) -> slice:
    ends = (node.lower, node.upper, node.step)
    return slice(*(None if each is None else computed(each, names) for each in ends))


def _binary(node: ast.BinOp, names: Mapping[str, Any]) -> Any:
    left, right = computed(node.left, names), computed(node.right, names)
    return _BINARY[type(node.op)](left, right)


_VALUES: Mapping[type, Callable[..., Any]] = {
    ast.Constant: lambda node, names: node.value,
    ast.Name: lambda node, names: name_value(node.id, names),
    ast.Tuple: lambda node, names: tuple(computed(e, names) for e in node.elts),
    ast.Subscript: lambda node, names: computed(node.value, names)[
        computed(node.slice, names)
    ],
    ast.UnaryOp: lambda node, names: _UNARY[type(node.op)](
        computed(node.operand, names)
    ),
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Call: _call,
    ast.Lambda: _function,
    ast.Attribute: _attribute,
    ast.Slice: _slice,
}
