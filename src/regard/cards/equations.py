r"""LaTeX equations as one line of letters that a terminal can show.

Reads the part of LaTeX that cards use: ``\frac{q_i^\top k_j}{\sqrt{D}}`` becomes
``qᵢᵀ kⱼ / √D``. Anything else raises, so that no card shows a bare backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_LOWER = dict(
    zip(
        "0123456789+-=()aehijklmnoprstuvx",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ",
        strict=True,
    )
)
_UPPER = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzHKLOTV",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴴᴷᴸᴼᵀⱽ",
        strict=True,
    )
)
_WORDS = {"tanh", "cos", "sin", "ln", "exp", "min", "max"}
# Brackets with something but no brackets in them; signs between two things.
_BRACKETS = re.compile(r"\([^()]+\)|\[[^\[\]]+\]|‖[^‖]+‖")
_JOINED = re.compile(r" \+ |/|[^\s(=,;·⊙-] ?- ?\S")
_MULTIPLIED = re.compile(r"·|\S\s+□|□\s+\S")
COMMANDS = {
    **{name: name for name in _WORDS},
    **{
        "arg": "arg ",
        "sum": "∑",
        "top": "ᵀ",
        "odot": " ⊙ ",
        "in": " ∈ ",
        "notin": " ∉ ",
    },
    **{"le": " ≤ ", "ge": " ≥ ", "cdot": "·", "dots": "…", "ldots": "…"},
    **{"lVert": "‖", "rVert": "‖", "quad": "   ", ",": " ", ";": " ", " ": " "},
    **{"alpha": "α", "beta": "β", "theta": "θ", "tau": "τ", "mu": "μ", "sigma": "σ"},
    **{"zeta": "ζ", "delta": "δ", "xi": "ξ"},
    **{"epsilon": "ε", "Delta": "Δ", "Omega": "Ω", "pi": "π", "big": ""},
    **{"infty": "∞"},
    **{"lambda": "λ", "gamma": "γ", "phi": "φ", "psi": "ψ"},
    **{"lfloor": "⌊", "rfloor": "⌋"},
}


def unicode_equation(latex: str) -> str:
    r"""The equation in letters; ``\\`` starts a new line.

    Raises:
        ValueError: for a command that is not known here.
    """
    lines = (_line(each) for each in latex.split(r"\\"))
    return "\n".join(line for line in lines if line)


def _line(latex: str) -> str:
    text = _sequence(iter(_TOKEN.findall(latex.strip())), closing=None)
    text = re.sub(r"(?<=[^\s(\[{=,;]) ?- ?(?=\S)", " − ", text)
    text = text.replace("-", "−")
    text = re.sub(r"\s*([=<≤≥⊙∈∉])\s*", r" \1 ", text)
    text = re.sub(r"(\S)\+(\S)", r"\1 + \2", text)
    text = re.sub(r"(?<=,) {3,}", "   ", text)
    return re.sub(r"(?<!,)(?<! ) {2,}", " ", text).strip()


def _sequence(tokens: Iterator[str], closing: str | None) -> str:
    """Everything up to the closing brace, or to the end."""
    parts: list[str] = []
    for token in tokens:
        if token == closing:
            break
        if token in "_^":
            base = parts.pop() if token == "^" and parts and parts[-1] == "e" else None
            parts.append(_script(token, _argument(tokens), base))
        else:
            parts.append(_piece(token, tokens))
    return "".join(parts)


def _piece(token: str, tokens: Iterator[str]) -> str:
    if token == r"\frac":
        above, below = _argument(tokens), _argument(tokens)
        above = f"({above})" if "∑" in _outside(above) else _grouped(above)
        return f"{above} / {_grouped(below, _MULTIPLIED)}"
    if token == r"\sqrt":
        return f"√{_grouped(_argument(tokens), _MULTIPLIED)}"
    if token in (r"\mathrm", r"\text"):
        return _argument(tokens)
    if token == "{":
        return _sequence(tokens, "}")
    if token.startswith("\\"):
        if token[1:] not in COMMANDS:
            raise ValueError(
                f"latex must use the commands that equations.py knows. Got {token!r}."
            )
        return COMMANDS[token[1:]]
    return " " if token.isspace() else token


def _argument(tokens: Iterator[str]) -> str:
    token = next(tokens)
    while token.isspace():
        token = next(tokens)
    return _piece(token, tokens)


def _script(sign: str, inside: str, base: str | None) -> str:
    """A letter below or above; ``e`` to a power becomes ``exp``."""
    if base == "e":
        return f"exp({inside})" if inside != "ᵀ" else "eᵀ"
    if inside == "ᵀ":
        return inside
    table = _LOWER if sign == "_" else _UPPER
    tight = inside.replace(" ", "")
    if all(letter in table for letter in tight):
        return "".join(table[letter] for letter in tight)
    if sign == "_":
        return f"_{inside}" if len(inside) == 1 else f"[{inside}] "
    return f"^{inside}" if len(inside) == 1 else f"^({inside})"


_PRODUCT = re.compile(r"[^\W_]+( [^\W_]+)+")


def _grouped(text: str, also: re.Pattern[str] = _JOINED) -> str:
    """Brackets around what would fall apart in a fraction or under a root."""
    outside = _outside(text)
    apart = _JOINED.search(outside) or also.search(outside)
    product = also is _MULTIPLIED and _PRODUCT.fullmatch(text)
    return f"({text})" if apart or product else text


def _outside(text: str) -> str:
    """What stands in no bracket; a box instead of each pair of them."""
    while (shorter := _BRACKETS.sub("□", text)) != text:
        text = shorter
    return text
