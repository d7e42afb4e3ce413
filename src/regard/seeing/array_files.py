"""Arrays in one ``.npz`` file, with an index that says what they are."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

_INDEX = "index"  # what stands where in a file
_KINDS = {  # what an index holds: who wrote it, who reads it
    "maps": ("Maps.save", "regard.seeing.maps.Maps.load"),
    "snapshots": ("AttentionProbe.save", "regard.AttentionProbe.load"),
}

Found = TypeVar("Found")


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


def read(
    path: str | Path, key: str, made: Callable[[dict[str, Any], list[Any]], Found]
) -> Found:
    """What is made of the index and the arrays of a file with ``key`` in it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: where it holds something else.
    """
    writer, _ = _KINDS[key]
    wanted = f"path must name a file that {writer} wrote. Got {path}"
    index, arrays = _opened(path, wanted)
    if key not in index:
        found = next((kind for kind in _KINDS if kind in index), None)
        if found is None:
            raise ValueError(f"{wanted}, which no other part of regard wrote either.")
        other, reader = _KINDS[found]
        raise ValueError(f"{wanted}, which {other} wrote: {reader} reads it.")
    try:
        return made(index, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        raise ValueError(
            f"{wanted}, which another version of regard wrote, in another layout "
            f"({type(problem).__name__}: {problem}). Read it with that version, or "
            f"write it anew with {writer}."
        ) from problem


def _opened(path: str | Path, wanted: str) -> tuple[dict[str, Any], list[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        index = json.loads(str(arrays.pop(_INDEX)))
        return dict(index), [arrays[str(place)] for place in range(len(arrays))]
    except FileNotFoundError:
        raise
    except KeyError as problem:
        raise ValueError(f"{wanted}, which holds arrays without an index.") from problem
    except (TypeError, ValueError, OSError, EOFError, BadZipFile) as problem:
        raise ValueError(f"{wanted}, which is none: {problem}") from problem
