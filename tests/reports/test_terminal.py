"""The drawing in the terminal: right cells, any script, any width."""

import io

import numpy as np
import pytest
from rich.cells import cell_len

from regard.reports import AttentionRecord, Ink, draw_alignment, print_alignment


def make_record(queries, keys, links=None, **more):
    weights = np.zeros((len(queries), len(keys)))
    for row, column in (links or {}).items():
        weights[row, column] = 1.0
    return AttentionRecord(
        weights=weights, query_tokens=queries, key_tokens=keys, **more
    )


def test_the_cell_of_the_link_is_dark_and_named():
    record = make_record(["кот", "спит"], ["a", "cat", "sleeps"], {0: 1, 1: 2})
    lines = draw_alignment(record).splitlines()
    assert lines[-2:] == [" кот · ██·  → cat 1.00", "спит · · ██ → sleeps 1.00"]


def test_headings_stand_over_their_columns():
    record = make_record(["x"], ["ab", "c"], {0: 0})
    assert draw_alignment(record).splitlines()[:2] == ["  a", "  b c"]


def test_shades_grow_with_the_weight():
    record = AttentionRecord(
        weights=[[0.01, 0.05, 0.2, 0.4, 0.7]],
        query_tokens=["q"],
        key_tokens=list("abcde"),
    )
    assert draw_alignment(record).splitlines()[-1].startswith("q · ░░▒▒▓▓██")


def test_masked_cells_differ_from_zero_and_are_never_the_best():
    record = make_record(
        ["q"], ["a", "b"], {0: 1}, masks={"padding": np.array([True, False])}
    )
    assert draw_alignment(record).splitlines()[-1] == "q · // (nothing)"


def test_nan_is_shown_as_such():
    record = AttentionRecord(
        weights=[[np.nan, 1.0]], query_tokens=["q"], key_tokens=["a", "b"]
    )
    assert draw_alignment(record).splitlines()[-1] == "q ??██ → b 1.00"


@pytest.mark.parametrize("width", [12, 20, 40, 80])
@pytest.mark.parametrize(
    "tokens", [["слово"] * 70, ["漢字"] * 30, ["e\u0301"] * 30, ["a" * 10_000] * 3]
)
def test_no_line_is_wider_than_the_terminal(width, tokens):
    record = make_record(tokens, tokens, dict(enumerate(range(len(tokens)))))
    drawn = draw_alignment(record, Ink(width=width), max_rows=len(tokens))
    assert max(map(cell_len, drawn.splitlines())) <= width


def test_a_wide_input_is_drawn_in_bands_that_hold_every_column():
    keys = [f"{index}" for index in range(50)]
    record = make_record(["q"], keys, {0: 49})
    drawn = draw_alignment(record, Ink(width=40))
    bands = drawn.split("\n\n")
    assert len(bands) == 3
    assert "██" in bands[-1] and not any("██" in band for band in bands[:-1])
    rows = [band.splitlines()[-1] for band in bands]
    assert sum(row.split("→")[0].count("· ") for row in rows) >= 47


def test_rows_past_the_limit_are_counted():
    record = make_record(["q"] * 70, ["k"])
    assert draw_alignment(record, max_rows=60).endswith("(10 more output tokens)")


def test_colour_adds_escapes_and_nothing_else():
    record = make_record(["кот"], ["a", "cat"], {0: 1})
    import re

    colored = draw_alignment(record, Ink(color=True))
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == draw_alignment(record)


def test_control_characters_in_tokens_never_reach_the_terminal():
    record = make_record(["\x1b[2J", "\u202eevil", "\ud800"], ["a\nb", "\x00"])
    drawn = draw_alignment(record)
    assert "\x1b" not in drawn and "\u202e" not in drawn and "\x00" not in drawn
    drawn.encode("utf-8")
    assert "U+001B[2J" in drawn and "U+D800" in drawn


class FakeTerminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "utf-8"])
def test_a_stream_gets_only_what_its_encoding_holds(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_alignment(make_record(["кот"], ["cat"], {0: 0}), stream)
    stream.seek(0)
    drawn = stream.read()
    assert ("██" in drawn) == (encoding == "utf-8")
    assert ("кот" in drawn) == (encoding != "ascii")
    assert "cat 1.00" in drawn


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = FakeTerminal(io.BytesIO(), encoding="utf-8")
    assert Ink.of(terminal).color
    assert not Ink.of(io.StringIO()).color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Ink.of(terminal).color
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Ink.of(terminal).color


def test_an_empty_output_is_said_to_be_empty():
    record = AttentionRecord(
        weights=np.zeros((0, 2)), query_tokens=[], key_tokens=["a", "b"]
    )
    assert "nothing to draw" in draw_alignment(record)
