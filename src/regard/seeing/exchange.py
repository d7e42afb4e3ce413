"""Captured maps as plain numbers: dicts, tables, files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from regard.seeing.array_files import Arrays, read, write
from regard.trace import Trace

_GROUPS = ("masks", "extra", "inputs", "parameters")  # of a trace, arrays by name


def to_dict(maps: Mapping[str, Sequence[Trace]]) -> dict[str, list[dict[str, Any]]]:
    """Layer -> calls -> field -> nested lists, which JSON takes."""
    return {
        name: [
            {
                "mechanism": trace.mechanism,
                "training": trace.training,
                **{field: array.tolist() for field, array in trace.arrays()},
                "masks": {
                    cause: np.asarray(m).tolist() for cause, m in trace.masks.items()
                },
                "extra": {
                    key: np.asarray(x).tolist() for key, x in trace.extra.items()
                },
            }
            for trace in calls
        ]
        for name, calls in maps.items()
    }


def to_dataframe(maps: Mapping[str, Sequence[Trace]]) -> Any:
    """One line for each pair that may be seen: layer, call, example, head, query, key,
    weight, and score where it was kept. Of an outline, the largest weights of each row.

    Raises:
        ImportError: where pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "A table of maps needs pandas. Install it with: pip install pandas"
        ) from None
    parts = []
    for name, calls in maps.items():
        for number, trace in enumerate(calls):
            columns = _columns(trace)
            if columns:
                part = pandas.DataFrame(columns)
                part.insert(0, "call", number)
                part.insert(0, "layer", name)
                parts.append(part)
    if not parts:
        names = ("layer", "call", "example", "head", "query", "key", "weight")
        return pandas.DataFrame(columns=names)
    return pandas.concat(parts, ignore_index=True)


def _columns(trace: Trace) -> dict[str, np.ndarray]:
    """The columns of one call's lines."""
    if trace.weights is not None and trace.weights.ndim == 4:
        shape = trace.weights.shape
        mask = np.ones((), bool) if trace.mask is None else trace.mask
        places = np.nonzero(np.broadcast_to(mask, shape))
        found = dict(zip(("example", "head", "query", "key"), places, strict=True))
        found["weight"] = trace.weights[places]
        if trace.scores is not None and trace.scores.shape == shape:
            found["score"] = trace.scores[places]
    elif "top_keys" in trace.extra:
        weights = np.asarray(trace.extra["top_weights"])
        places = np.nonzero(weights)
        found = dict(zip(("example", "head", "query"), places[:3], strict=True))
        found["key"] = np.asarray(trace.extra["top_keys"])[places]
        found["weight"] = weights[places]
    else:
        return {}
    for column, kept in (("query", "rows"), ("head", "heads")):
        if kept in trace.extra:
            found[column] = np.asarray(trace.extra[kept])[found[column]]
    return found


def save(maps: Mapping[str, Sequence[Trace]], path: str | Path) -> Path:
    """Write everything into one ``.npz`` file, which ``load`` reads again."""
    arrays = Arrays()
    index = {
        name: [
            {
                "mechanism": trace.mechanism,
                "layer": trace.layer,
                "training": trace.training,
                "settings": dict(trace.settings),
                "own": arrays.stored(dict(trace.arrays())),
                **{name: arrays.stored(getattr(trace, name)) for name in _GROUPS},
            }
            for trace in calls
        ]
        for name, calls in maps.items()
    }
    return write(path, {"maps": index}, arrays)


def load(path: str | Path) -> dict[str, list[Trace]]:
    """What ``save`` wrote: layer -> calls.

    Raises:
        ValueError: where the file holds something else.
    """

    def traces(index: dict[str, Any], arrays: list[Any]) -> dict[str, list[Trace]]:
        return {
            name: [_trace(entry, arrays) for entry in calls]
            for name, calls in index["maps"].items()
        }

    return read(path, "maps", traces)


def _trace(entry: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> Trace:
    groups: dict[str, Any] = {
        group: {name: arrays[place] for name, place in entry[group].items()}
        for group in ("own", *_GROUPS)
    }
    own = groups.pop("own")
    names = {name: entry[name] for name in ("mechanism", "layer", "settings")}
    training = entry.get("training", False)  # files of old say nothing of it
    return Trace(**names, **own, **groups, training=training)
