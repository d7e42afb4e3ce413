"""Scopes taken apart: which are in them, and how they are joined."""

from collections.abc import Mapping
from typing import Any

from regard.core import scopes

Part = Mapping[str, Any]  # class_name and config
_SIGNS = {"Both": "&", "Either": "|"}


def scopes_of(settings: Mapping[str, Any]) -> dict[str, Part]:
    """By cause: what a call may have been given, and what the layer always has."""
    ours = settings.get("whose", "regard") == "regard"  # Keras counts rows and columns
    causal = _part("Causal") if ours else _part("Causal", offset=0)
    found = {"user": settings.get("attention_mask"), "causal": causal}
    own = settings.get("scope")
    if width := settings.get("sliding_window"):
        window = _part("Window", left=width - 1, right=width - 1)
        own = _part("Both", left=own, right=window) if own else window
    if isinstance(own, Mapping):  # a layer over edges tells only whether
        found[getattr(scopes, kind_of(own), scopes.Scope).cause] = own
    return {cause: part for cause, part in found.items() if isinstance(part, Mapping)}


def taken_apart(part: Part) -> tuple[list[Part], str]:
    """The scopes in it, and the expression that joins those of these numbers."""
    kind, config = kind_of(part), part["config"]
    if kind == "Inverse":
        leaves, inside = taken_apart(config["scope"])
        return leaves, f"~{inside}"
    if kind not in _SIGNS:
        return [part], "{0}"
    left, first = taken_apart(config["left"])
    right, second = taken_apart(config["right"])
    moved = [f"{{{len(left) + number}}}" for number in range(len(right))]
    return left + right, f"({first} {_SIGNS[kind]} {second.format(*moved)})"


def kind_of(part: Part) -> str:
    """The name of its class."""
    return part["class_name"].rpartition(">")[2]


def _part(name: str, **config: Any) -> Part:
    return {"class_name": name, "config": config}
