"""Reports: one offline HTML page, and alignments drawn in the terminal."""

from regard.reports.page import render_report, write_report
from regard.reports.record import AttentionRecord, Example
from regard.reports.terminal import Ink, draw_alignment, print_alignment

__all__ = [
    "AttentionRecord",
    "Example",
    "Ink",
    "draw_alignment",
    "print_alignment",
    "render_report",
    "write_report",
]
