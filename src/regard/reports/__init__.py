"""Reports: one offline HTML page, and alignments drawn in the terminal."""

from regard.reports.example import Example
from regard.reports.extras import Explanation, Removal, Timeline, Training
from regard.reports.page import render_report, write_report
from regard.reports.record import AttentionRecord
from regard.reports.sentences import Sentences
from regard.reports.terminal import Ink, draw_alignment, print_alignment

__all__ = [
    "AttentionRecord",
    "Example",
    "Explanation",
    "Ink",
    "Removal",
    "Sentences",
    "Timeline",
    "Training",
    "draw_alignment",
    "print_alignment",
    "render_report",
    "write_report",
]
