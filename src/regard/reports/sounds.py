"""Sound on its way into a page: 16-bit mono."""

from __future__ import annotations

from typing import Any

import numpy as np

from regard.reports.encoding import Numbers

__all__ = ["checked_sound", "pack_sound"]

#: Samples a second that Chromium plays.
SLOWEST, FASTEST = 3_000, 768_000
_LOUDEST = 32767


def checked_sound(samples: Any, rate: float) -> np.ndarray:
    """The samples as 16-bit numbers; given as such, or from −1 to 1.

    Raises:
        ValueError: other than one channel, other numbers, a rate that browsers do not
            play.
    """
    sound = np.asarray(samples)
    if sound.ndim != 1 or not sound.size:
        raise ValueError(
            f"audio must have shape (samples,), one channel. Got {sound.shape}; "
            "take the mean of several channels."
        )
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(
            f"rate must be the samples of a second, {SLOWEST} to {FASTEST}, which "
            f"browsers play. Got {rate}; sample the audio anew."
        )
    if sound.dtype == np.int16:
        return sound
    if sound.dtype.kind != "f" or not np.abs(sound).max() <= 1:
        raise ValueError(
            "audio must be 16-bit whole numbers, or numbers from -1 to 1. Got "
            f"{sound.dtype} from {sound.min()} to {sound.max()}."
        )
    return np.round(sound * _LOUDEST).astype(np.int16)


def pack_sound(sound: np.ndarray, rate: float, buffer: Numbers) -> dict[str, Any]:
    return {
        "rate": int(rate),
        "samples": len(sound),
        "start": buffer.append(sound.astype("<i2").tobytes()),
    }
