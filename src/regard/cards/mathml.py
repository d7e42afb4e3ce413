r"""LaTeX equations as MathML, which browsers set themselves.

Reads what ``equations`` reads and makes ``<math>`` of it: ``q_i^\top`` becomes
``<msubsup><mi>q</mi><mi>i</mi><mo>⊤</mo></msubsup>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from regard.cards.equations import COMMANDS

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:(?:\.|\{,\})\d+)?|\s+|.", re.DOTALL)
# After these a minus belongs to the number that follows.
_BEFORE_A_SIGN = {f"<mo>{sign}</mo>" for sign in "(,;=·⊙+"}
_OPERATORS = set("+-=()[]{}|,:;<>·⊙∈∉≤≥‖∑⌊⌋…→!/")


def mathml(latex: str) -> str:
    r"""The equation as a ``<math>`` element; ``\\`` starts a new line.

    Raises:
        ValueError: for a command that is not known.
    """
    rows = [_row(_Tokens(line)) for line in latex.split(r"\\") if line.strip()]
    if len(rows) == 1:
        return f'<math displaystyle="true">{rows[0]}</math>'
    cells = "".join(f"<mtr><mtd>{row}</mtd></mtr>" for row in rows)
    return (
        f'<math displaystyle="true"><mtable columnalign="left">{cells}</mtable></math>'
    )


class _Tokens:
    """Tokens with a look at the next."""

    def __init__(self, latex: str):
        self._given: Iterator[str] = iter(_TOKEN.findall(latex.strip()))
        self.next = next(self._given, None)

    def take(self) -> str:
        token, self.next = self.next, next(self._given, None)
        return token or ""

    def skip_space(self) -> None:
        while self.next is not None and self.next.isspace():
            self.take()


def _row(tokens: _Tokens, closing: str | None = None) -> str:
    """Everything up to the closing brace or the end, scripts on their bases."""
    parts: list[str] = []
    tokens.skip_space()
    while tokens.next is not None and tokens.next != closing:
        if tokens.next in ("_", "^"):
            parts.append(_scripts(parts.pop() if parts else "<mrow/>", tokens))
        elif tokens.next == "-" and (not parts or parts[-1] in _BEFORE_A_SIGN):
            tokens.take()
            parts.append('<mo form="prefix" lspace="0" rspace="0">−</mo>')
        else:
            parts.append(_piece(tokens))
        tokens.skip_space()
    tokens.take()
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _scripts(base: str, tokens: _Tokens) -> str:
    """A base with what is below it and above it, in either order."""
    found: dict[str, str] = {}
    while tokens.next in ("_", "^"):
        sign = tokens.take()
        found[sign] = _argument(tokens)
    below, above = found.get("_"), found.get("^")
    under = "∑" in base and below is not None
    if below is None:
        return f"<msup>{base}{above}</msup>"
    if above is None:
        name = "munder" if under else "msub"
        return f"<{name}>{base}{below}</{name}>"
    name = "munderover" if under else "msubsup"
    return f"<{name}>{base}{below}{above}</{name}>"


def _argument(tokens: _Tokens) -> str:
    tokens.skip_space()
    return _piece(tokens)


def _piece(tokens: _Tokens) -> str:
    token = tokens.take()
    if token == "{":
        return _row(tokens, "}")
    if token == r"\frac":
        return f"<mfrac>{_argument(tokens)}{_argument(tokens)}</mfrac>"
    if token == r"\sqrt":
        return f"<msqrt>{_argument(tokens)}</msqrt>"
    if token in (r"\mathrm", r"\text"):
        return f"<mtext>{escape(_words(tokens))}</mtext>"
    if token == r"\top":
        return "<mo>⊤</mo>"
    if token.startswith("\\"):
        return _command(token)
    if token[0].isdigit():
        return f"<mn>{token.replace('{,}', ',')}</mn>"
    if token in _OPERATORS:
        return f"<mo>{escape('−' if token == '-' else token)}</mo>"
    return f"<mi>{escape(token)}</mi>"


def _command(token: str) -> str:
    if token[1:] not in COMMANDS:
        raise ValueError(
            f"latex must use the commands that equations.py knows. Got {token!r}."
        )
    letters = COMMANDS[token[1:]]
    if not letters.strip():
        return f'<mspace width="{0.25 * len(letters):g}em"/>' if letters else ""
    sign = letters.strip()
    if sign in _OPERATORS:
        return f"<mo>{escape(sign)}</mo>"
    return f"<mi>{escape(sign)}</mi>"


def _words(tokens: _Tokens) -> str:
    """The plain words in a pair of braces."""
    tokens.skip_space()
    if tokens.next != "{":
        return tokens.take()
    tokens.take()
    found = []
    while tokens.next is not None and tokens.next != "}":
        found.append(tokens.take())
    tokens.take()
    return "".join(found)
