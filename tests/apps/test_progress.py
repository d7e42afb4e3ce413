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


@pytest.mark.parametrize("width", [50, 80, 200])
def test_a_bar_leaves_room_for_all_that_is_said(monkeypatch, width):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, no_color=True, width=width)
    note = "epoch 12  loss 7.60  dev 8.025, 10.5 % right"
    with progress.progress_bar("training", console) as tell:
        tell(0.45, note)
    shown = stream.getvalue()
    assert "…" not in shown and "training" in shown and "45 %" in shown
    assert all(word in shown for word in note.split())
    assert (note in shown) is (width >= 80)  # on one line
