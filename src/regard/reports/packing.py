"""What an example says besides its maps, as plain values that JSON takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from regard.reports.encoding import Numbers
from regard.reports.example import Example
from regard.reports.extras import Explanation, Timeline, Training
from regard.reports.sounds import pack_sound
from regard.reports.tokens import shorten, visible

__all__ = [
    "number",
    "pack_explanation",
    "pack_texts",
    "pack_timeline",
    "pack_training",
]

_LONGEST_TEXT = 20_000


def pack_explanation(explanation: Explanation) -> dict[str, Any]:
    removal = explanation.removal
    return {
        "probabilities": [
            [visible(name, keep=" "), number(value)]
            for name, value in explanation.probabilities.items()
        ],
        "compared": [
            [visible(name, keep=" "), _shares(values)]
            for name, values in explanation.compared.items()
        ],
        "removal": removal
        and {
            "order": list(map(int, removal.order)),
            "counts": list(map(int, removal.counts)),
            "probabilities": [list(map(number, row)) for row in removal.probabilities],
            "product": removal.by_product,
        },
    }


def _shares(values: Sequence[float]) -> list[float | None]:
    """Each value by the sum of absolute values, the scale that attention has."""
    given = np.asarray(values, np.float64)
    total = np.abs(given[np.isfinite(given)]).sum() or 1.0
    return list(map(number, given / total))


def number(value: float) -> float | None:
    """Six digits of a finite number; JSON knows no other."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def pack_texts(example: Example) -> dict[str, Any]:
    return {
        "source": _text(example.source),
        "output": _text(example.output),
        "references": [_text(each) for each in example.references],
        "sourceLanguage": example.source_language,
        "outputLanguage": example.output_language,
        "scores": {
            visible(name, keep=" "): float(value)
            for name, value in example.scores.items()
            if np.isfinite(value)
        },
    }


def _text(text: str) -> str:
    return shorten(visible(text, keep=" \n"), _LONGEST_TEXT)


def pack_training(training: Training) -> dict[str, Any]:
    """The steps, and the lines: of a head by their measure and "LAYER/HEAD", others by
    their name alone.
    """
    layers = {record.layer for records in training.records for record in records}
    return {
        "steps": list(map(int, training.steps)),
        "lines": [
            [
                visible(said, keep=" "),
                list(map(number, values)),
                visible(head, keep=" "),
            ]
            for name, values in training.lines.items()
            for said, head in [_of_head(name, layers)]
        ],
    }


def _of_head(name: str, layers: Collection[str]) -> tuple[str, str]:
    """The measure of a line of a head, and which; of any other its name and nothing."""
    rest, _, head = name.rpartition("/")
    for layer in layers:
        if layer and head.isdigit() and rest.endswith(f"/{layer}"):
            return rest.removesuffix(f"/{layer}"), f"{layer}/{head}"
    return name, ""


def pack_timeline(
    timeline: Timeline, buffer: Numbers, embed_audio: bool = False
) -> dict[str, Any]:
    """Channels as numbers; of a log-mel image 256 levels between its extremes."""
    packed: dict[str, Any] = {
        "keys": timeline.keys,
        "origin": timeline.origin,
        "seconds": number(timeline.seconds),
        "channels": [
            {"name": visible(name, keep=" "), "values": list(map(number, values))}
            for name, values in timeline.channels.items()
        ],
    }
    if timeline.log_mel is not None:
        bands, frames = np.shape(timeline.log_mel)
        start = buffer.append(_levels(np.asarray(timeline.log_mel)).tobytes())
        packed["sound"] = {"bands": bands, "frames": frames, "start": start}
    if embed_audio and timeline.audio is not None:
        packed["audio"] = pack_sound(timeline.audio, timeline.rate, buffer)
    return packed


def _levels(image: np.ndarray) -> np.ndarray:
    low, high = np.nanmin(image), np.nanmax(image)
    scaled = (np.nan_to_num(image, nan=low) - low) / max(high - low, 1e-12)
    return np.round(255 * scaled).astype(np.uint8)
