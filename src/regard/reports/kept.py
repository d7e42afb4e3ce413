"""What a report keeps of what it was given, said in its footer in every language."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from regard.cards.typography import numeral
from regard.reports.bands import MOST
from regard.reports.package import Package
from regard.reports.phrases import LANGUAGES, phrases

__all__ = ["draw_kept"]


def draw_kept(package: Package) -> str:
    """HTML in every language, of which the page shows its own."""
    return "\n".join(
        f'<span data-lang="{language}" lang="{language}">'
        f"{html.escape(' '.join(_said(package, language)))}</span>"
        for language in LANGUAGES
    )


def _said(package: Package, language: str) -> list[str]:
    """How exact the weights are, what was left out, and how much sound is inside."""
    words = phrases(language, "kept")

    def say(name: str, **numbers: str | int) -> str:
        told = {key: numeral(str(each), language) for key, each in numbers.items()}
        return words[name].format(**told)

    error = np.format_float_positional(package.coding.error, 1, fractional=False)
    said = [say("stored", error=error) if package.coding.error else say("stored_exact")]
    if package.left_out:
        said.append(say("left_out", n=package.left_out))
    if package.no_band:
        said.append(say("no_band", n=package.no_band, most=f"{MOST / 1e6:g}"))
    sounds = [sound for each in package.entries for sound in _sounds(each)]
    if sounds:
        seconds = sum(each["samples"] / each["rate"] for each in sounds)
        size = sum(2 * each["samples"] for each in sounds) / 1e6
        told = {"seconds": f"{seconds:.2f}", "size": f"{size:.2f}"}
        said.append(say("sound_inside", **told))
    return said


def _sounds(entry: dict[str, Any]) -> list[dict[str, Any]]:
    timeline = entry.get("timeline", {})
    return [timeline["audio"]] if timeline.get("audio") else []
