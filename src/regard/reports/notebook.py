"""A page inside a notebook: in a frame that can do nothing to what is around it."""

from __future__ import annotations

import html
from pathlib import Path

__all__ = ["NotebookPath"]

_HEIGHT = 800  # pixels


class NotebookPath(type(Path())):  # type: ignore[misc]
    """The path of a page, which a notebook shows in place of the path."""

    def _repr_html_(self) -> str:
        page = html.escape(self.read_text(encoding="utf-8"))
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'
        )
