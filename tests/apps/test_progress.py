"""The progress of a training where a bar can be drawn, and where it cannot."""

import io

import pytest
from rich.console import Console

from regard.apps import progress


@pytest.mark.parametrize(("term", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_gets_lines_instead_of_a_bar(monkeypatch, term, drawn):
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    monkeypatch.setenv("TERM", term)
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80)
    with progress.progress_bar("training", console) as tell:
        tell(0.5, "epoch 1")
        while_running = stream.getvalue()
    assert ("training: 50 %  epoch 1\n" in while_running) is not drawn
    assert ("━" in stream.getvalue()) is drawn
