"""Arrays in one ``.npz`` file, with an index that says what they are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

_INDEX = "index"  # what stands where in a file


class Arrays(list):
    """Those of a file; what several groups share is there once."""

    def __init__(self, arrays: Iterable[Any] = ()):
        super().__init__(arrays)
        self._places = {id(each): place for place, each in enumerate(self)}

    def stored(self, group: Mapping[str, Any]) -> dict[str, int]:
        """Name -> the number of its array in the file."""
        for each in group.values():
            if id(each) not in self._places:
                self._places[id(each)] = len(self)
                self.append(each)
        return {name: self._places[id(each)] for name, each in group.items()}


def write(path: str | Path, index: Mapping[str, Any], arrays: Sequence[Any]) -> Path:
    """Arrays, and an index that says what they are, as one ``.npz`` file."""
    path = Path(path).with_suffix(".npz")
    named: dict[str, Any] = {str(place): each for place, each in enumerate(arrays)}
    named[_INDEX] = np.array(json.dumps(index, default=str))
    with path.open("wb") as file:
        np.savez_compressed(file, **named)
    return path


def read(path: str | Path, writer: str, key: str) -> tuple[dict[str, Any], list[Any]]:
    """The index and the arrays of a file that ``writer`` wrote, with ``key`` in it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        index = json.loads(str(arrays.pop(_INDEX)))
        if key not in index:
            raise KeyError(key)
        return index, [arrays[str(place)] for place in range(len(arrays))]
    except FileNotFoundError:
        raise
    except (KeyError, TypeError, ValueError, OSError, EOFError, BadZipFile) as problem:
        raise ValueError(
            f"path must name a file that {writer} wrote. Got {path}: {problem}."
        ) from problem
