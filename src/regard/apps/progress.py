"""A progress bar on the terminal; a line now and then where there is no terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

_BAR = 30  # columns of the bar, where the terminal has so many
_EVERY = 15.0  # seconds between lines where no bar can be drawn


@contextmanager
def progress_bar(
    title: str, console: Console | None = None
) -> Iterator[Callable[[float, str], None]]:
    """Give `tell(share, note)`, which moves the bar to `share` (0 to 1)."""
    console = console or Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:  # rich draws none there
        yield _lines(title, console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None, table_column=Column(ratio=1, max_width=_BAR)),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[note]}", table_column=Column()),  # may wrap
    )
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task(title, total=1.0, note="")

        def tell(share: float, note: str) -> None:
            progress.update(task, completed=min(share, 1.0), note=note)

        yield tell


def _lines(title: str, console: Console) -> Callable[[float, str], None]:
    last = time.monotonic()

    def tell(share: float, note: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            console.print(f"{title}: {100 * min(share, 1.0):.0f} %  {note}".rstrip())

    return tell
