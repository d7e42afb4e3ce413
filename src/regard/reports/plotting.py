"""What figures with matplotlib share: its import, and ink that can be read."""

from __future__ import annotations

from typing import Any

import numpy as np

DARK = 0.179  # luminance below which text on it is white


def ink(weight: float) -> str:
    """Black or white, whichever can be read on the weight's colour (WCAG)."""
    from matplotlib import colormaps

    channels = np.array(colormaps["Blues"](np.sqrt(np.clip(weight, 0, 1)))[:3])
    steep = ((channels + 0.055) / 1.055) ** 2.4
    linear = np.where(channels <= 0.04045, channels / 12.92, steep)
    return "white" if linear @ [0.2126, 0.7152, 0.0722] < DARK else "black"


def pyplot() -> Any:
    try:
        from matplotlib import pyplot as found
    except ImportError:
        raise ImportError(
            "Figures need matplotlib. Install it with: pip install regard[figures]"
        ) from None
    return found
