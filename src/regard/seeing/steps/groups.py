"""What a trace holds by name: its arrays in float64, its weights, its settings."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from regard.seeing.steps.group import Group
from regard.seeing.steps.images import channels_last
from regard.trace import Trace

_WIDENED: WeakKeyDictionary[Trace, Any] = WeakKeyDictionary()


def widened(trace: Trace) -> tuple[dict[str, Any], ...]:
    """Arrays, extra and inputs in float64, made once for all rows of a trace."""
    if trace not in _WIDENED:
        groups = (dict(trace.arrays()), trace.extra, trace.inputs)
        arrays, extra, inputs = (
            {n: wide(a) for n, a in group.items() if a is not None} for group in groups
        )
        inputs = {n: channels_last(a, trace.settings) for n, a in inputs.items()}
        if "output" in arrays:
            arrays["output"] = channels_last(arrays["output"], trace.settings)
        _WIDENED[trace] = arrays, extra, inputs
    return _WIDENED[trace]


_PARAMETERS: WeakKeyDictionary[Trace, dict[str, Group]] = WeakKeyDictionary()


def parameters_of(trace: Trace, below: str) -> Group:
    """The weights below a path, all of them where there are none below it.

    Those of a layer within are also a group of its own: ``p.cell.kernel``.
    """
    known = _PARAMETERS.setdefault(trace, {})
    if below not in known:
        known[below] = parameters_group(trace.parameters, below)
        for name, part in ({} if below else trace.settings).items():
            config = part.get("config") if isinstance(part, Mapping) else None
            if config and "dtype" in config:
                path = config.get("name", name)
                inside = parameters_group(trace.parameters, path)
                known[below].values = {name: inside, **known[below].values}
    return known[below]


def parameters_group(parameters: Mapping[str, np.ndarray], below: str) -> Group:
    inside = {n: a for n, a in parameters.items() if n.startswith(f"{below}/")}
    if below and inside:
        parameters = {n.removeprefix(f"{below}/"): a for n, a in inside.items()}
    return Group("p", {n.replace("/", "_"): wide(a) for n, a in parameters.items()})


def settings_group(settings: Mapping[str, Any]) -> Group:
    """A config; a part or layer inside is a group of its own, with its ``kind``."""
    return Group("settings", {name: _setting(each) for name, each in settings.items()})


def _setting(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_setting(each) for each in value]
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    inside = settings_group(value.get("config") or {})
    kind = value["class_name"].rpartition(">")[2]
    return Group("settings", {**inside.values, "kind": kind}, value)


def wide(array: Any) -> Any:
    """Numbers in float64; whole numbers and truth values as they are."""
    array = np.asarray(array)
    return array.astype("float64") if array.dtype.kind == "f" else array
