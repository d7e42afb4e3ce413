"""Pages that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from regard.files import write_atomically


def write_page(path: str | Path, page: str) -> Path:
    """Write a page; its folder is made, an older one is replaced when it is complete.

    Raises:
        ValueError: where no file of this name can be written.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "It is a folder")
        write_atomically(path, page)
    except OSError as problem:
        raise ValueError(
            f"path must be of a file that can be written. Got {str(path)!r}: "
            f"{problem.strerror}."
        ) from problem
    return path
