r"""An expression written as a formula with the numbers of one row, in LaTeX."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regard.seeing.steps.expressions import chosen, computed
from regard.seeing.steps.functions import EVALUATED, FUNCTIONS, Function
from regard.seeing.steps.group import Group
from regard.seeing.steps.numbers import mixed, shown

_SIGNS = {ast.Add: (" + ", 1), ast.Sub: (" - ", 1), ast.MatMult: (r" \, ", 2)}
_LEAVES = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant)
_ATOM = 9
_WHOLE = ("{0}^2", r"{0}^\top")  # patterns that bind closest
# How close others hold together that are no name with brackets, and their arguments.
_LEVELS: Mapping[str, tuple[int, ...]] = {
    "plus": (1, 1, 2),
    "dot": (2, 2, 3),
    "times": (2, 2, 3),
    "outer": (2, 2, 3),
    "sum": (2, 2),
    "unit": (2, 3),
    "rotated": (2, 3, 0),
    "heads_read": (2, 2, 3),
}
# Those whose second argument says what of the first they see.
_MASKED = ("largest", "softmax")


@dataclass(frozen=True)
class Writer:
    """Writes expressions over ``names``, of ``per_key`` arrays the entry ``key``."""

    names: Mapping[str, Any]
    per_key: frozenset[str] = frozenset()
    key: int | None = None
    keys: int = 0

    def write(self, node: ast.expr, level: int = 0) -> str:
        """The formula, in brackets where something binds it closer than it holds."""
        text, own = self._written(node)
        return text if own >= level else f"({text})"

    def _written(self, node: ast.expr) -> tuple[str, int]:
        """Text, and how close it holds together."""
        if isinstance(node, ast.IfExp):
            return self._written(chosen(node, self.names))
        if isinstance(node, _LEAVES):
            return self._leaf(node)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return f"-{self.write(node.operand, 2)}", 1
        if isinstance(node, ast.Call):
            return self._call(node)
        return shown(computed(node, self.names)), _ATOM

    def _leaf(self, node: ast.expr) -> tuple[str, int]:
        value, name = computed(node, self.names), _name(node)
        fits = not self.keys or np.shape(value)[:1] == (self.keys,)
        if self.key is not None and fits and self._along_keys(node):
            value = _alone(value[self.key])
        return _bound(shown(value, name.split(".")[-1]))

    def _along_keys(self, node: ast.expr) -> bool:
        """Whether the first axis of a leaf is that of the keys."""
        name = _name(node)
        if not isinstance(node, ast.Subscript) or ast.unparse(node) in self.per_key:
            return ast.unparse(node) in self.per_key
        inside = node.slice
        if isinstance(inside, ast.Tuple):  # key[:, 0]
            return name in self.per_key and ast.unparse(inside.elts[0]) == ":"
        return isinstance(inside, ast.Name) and inside.id in self.per_key  # key[ends]

    def _operation(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Div):
            return rf"\frac{{{self.write(node.left)}}}{{{self.write(node.right)}}}", 3
        alone = False  # one number before a product, which needs no brackets then
        if isinstance(node.op, ast.Pow):
            return f"{self.write(node.left, _ATOM)}^{{{self.write(node.right)}}}", 4
        if isinstance(node.op, ast.Mult):
            alone = self._is_number(node.left)
            number = alone or self._is_number(node.right)
            sign, level = (r" \cdot " if number else r" \odot "), 2
        elif type(node.op) in _SIGNS:
            sign, level = _SIGNS[type(node.op)]
        else:
            return self._result(node, "")
        if isinstance(node.op, (ast.Add, ast.Sub)) and self._is(0, node.right):
            return self._written(node.left)
        if isinstance(node.op, ast.Mult) and self._is(1, node.left):
            return self._written(node.right)
        left = right = self
        if isinstance(node.op, ast.MatMult):  # what is added up over is written whole
            right = replace(self, key=None)
            left = right if np.ndim(computed(node.left, self.names)) == 1 else self
        after = right.write(node.right, level if alone else level + 1)
        return left.write(node.left, level) + sign + after, level

    def _is_number(self, node: ast.expr) -> bool:
        """Whether it is one number, or one for each key."""
        shape = np.shape(computed(node, self.names))
        if self.key is None or not shape:
            return not shape
        leaves = (each for each in ast.walk(node) if isinstance(each, _LEAVES))
        per_key = shape in ((self.keys,), (self.keys, 1))
        return per_key and any(map(self._along_keys, leaves))

    def _is(self, number: int, node: ast.expr) -> bool:
        """Whether a choice came to this bare number, which changes nothing here."""
        chose = isinstance(node, ast.IfExp)
        while isinstance(node, ast.IfExp):
            node = chosen(node, self.names)
        return chose and isinstance(node, ast.Constant) and node.value == number

    def _call(self, node: ast.Call) -> tuple[str, int]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = FUNCTIONS.get(name)
        if function is None or any(isinstance(e, ast.Lambda) for e in node.args):
            return self._result(node, name)
        if name == "where" and self.key is not None:
            seen = np.asarray(computed(node.args[0], self.names))
            seen = seen[self.key] if seen.ndim else seen
            if seen.ndim:
                return shown(computed(node, self.names)), _ATOM
            return self._written(node.args[1] if seen else node.args[2])
        if name in ("given", "leaf", "demanded"):  # by the name that is asked for
            asked = node.args[1 if name == "given" else 2]
            return self._result(node, str(computed(asked, self.names)))
        if not function.pattern and name in EVALUATED:
            told = _name(node.args[1]).split(".")[-1] if name == "where" else name
            return self._result(node, told)
        if name in ("quotient", "unit"):  # by zero nothing is divided
            if not np.any(computed(node.args[-1], self.names)):
                return self._result(node, name)
        if name == "mix":
            weights, values = (computed(each, self.names) for each in node.args)
            if self.key is not None:  # maps, of which one key's entries are mixed
                values = values[:, self.key]
            return mixed(weights, values), 1
        return self._by_pattern(node, name, function)

    def _by_pattern(
        self, node: ast.Call, name: str, function: Function
    ) -> tuple[str, int]:
        writer = self
        if function.whole and not _has_axis(node):
            writer = replace(self, key=None)
        arguments = [each for each in node.args if not self._is_hidden(each)]
        if "{0}" not in function.pattern:
            inside = ", ".join(writer.write(each) for each in arguments)
            text = function.pattern.replace("{*}", inside) or _named(name, inside)
            return text, _ATOM
        if function.pattern == "{0}":
            value = self._own(node, self._along_keys(node.args[0]))
            if np.ndim(value) < 2 and isinstance(node.args[0], _LEAVES):
                return _bound(shown(_alone(value)))  # what was made of it
            return writer._written(node.args[0])
        usual = _ATOM if function.pattern in _WHOLE else 0
        own, *levels = _LEVELS.get(name, (_ATOM, *(usual for _ in arguments)))
        levels += [0] * (len(arguments) - len(levels))
        pairs = zip(arguments, levels, strict=False)
        given = [writer.write(each, level) for each, level in pairs]
        if name in _MASKED and len(node.args) > 1:
            value, seen = (computed(each, self.names) for each in node.args[:2])
            if np.ndim(value) == 1 and not np.all(seen):
                if not np.any(seen):
                    return self._result(node, name)
                given[0] = shown(np.where(seen, value, -np.inf))
        text = function.pattern.format(*given)
        each = name == "softmax" and self.key is not None and not _has_axis(node)
        return text + (f"_{{{self.key}}}" if each else ""), own

    def _is_hidden(self, node: ast.expr) -> bool:
        """Words, and settings and weights as a whole, are no numbers to write."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return False
        value = computed(node, self.names)
        return value is None or isinstance(value, (Group, str, Mapping))

    def _result(self, node: ast.expr, name: str) -> tuple[str, int]:
        """What it comes to, where that says more than what it is made of."""
        return _bound(shown(self._own(node, True), name))

    def _own(self, node: ast.expr, per_key: bool) -> Any:
        """What it comes to, at the key where it has one entry for each."""
        value = np.asarray(computed(node, self.names))
        if per_key and self.key is not None and value.shape[:1] == (self.keys,):
            return _alone(value[self.key])
        return value


def _bound(text: str) -> tuple[str, int]:
    """A number holds together less where it has a sign or is a product."""
    bare = not text.startswith("(")
    return text, 1 if bare and (text[0] == "-" or r"\cdot" in text) else _ATOM


def _name(node: ast.expr) -> str:
    """What a leaf is of, with the group it stands in: ``key`` of ``key[:, 0]``."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def _alone(value: Any) -> Any:
    """An entry that an axis was put on, without it."""
    return value[0] if np.shape(value) == (1,) else value


def _has_axis(node: ast.Call) -> bool:
    """Whether it goes along one axis, and not over all."""
    given = [each.arg for each in node.keywords]
    second = node.args[1] if len(node.args) > 1 else None
    number = isinstance(second, (ast.Constant, ast.UnaryOp, ast.Tuple))
    return "axis" in given or number


def _named(name: str, inside: str) -> str:
    return rf"\mathrm{{{name.replace('_', ' ')}}}({inside})"
