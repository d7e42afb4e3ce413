r"""Numbers of an explanation in LaTeX: one, a vector, what a step came to."""

from typing import Any

import numpy as np

SHOWN = 3  # entries of a vector that are written out


def number(value: Any) -> str:
    """Three digits; far from one, a power of ten."""
    value = float(np.real(value))
    if not np.isfinite(value):
        return r"\mathrm{NaN}" if np.isnan(value) else r"-\infty"[value > 0 :]
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        text = f"{value:.3g}" if abs(value) < 1e3 else f"{value:.0f}"
        return "0" if float(text) == 0 else text
    digits, power = f"{value:.2e}".split("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}"


def shown(value: Any, name: str = "") -> str:
    """A number, the first entries of a vector, the name of anything larger."""
    value = np.asarray(value)
    if value.ndim == 0:
        return number(value)
    if value.ndim > 1:
        return rf"\mathrm{{{name.replace('_', ' ')}}}" if name else r"(\dots)"
    entries = [number(each) for each in value[:SHOWN]]
    more = [r"\dots"] if len(value) > SHOWN else []
    return f"({', '.join(entries + more)})"


def shown_result(value: Any, name: str) -> str:
    """What a step came to; of a table the first row, and so on inwards."""
    value = np.asarray(value)
    if value.ndim < 2 or not len(value):
        return shown(value, name)
    more = r", \dots" if len(value) > 1 else ""
    return f"({shown_result(value[0], name)}{more})"


def mixed(weights: Any, values: Any) -> str:
    """A weighted sum: its largest terms."""
    largest = np.argsort(-np.abs(weights), kind="stable")[:SHOWN]
    terms = [rf"{shown(weights[n])} \cdot {shown(values[n])}" for n in largest]
    rest = len(weights) > SHOWN and np.any(np.delete(weights, largest))
    return " + ".join(terms + [r"\dots"] * bool(rest)).replace("+ -", "- ")
