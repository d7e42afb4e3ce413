"""Attention within parts of an image."""

from functools import partial

from regard import layers
from tests.conformance.case import Sizes
from tests.conformance.kinds import GATE, ROW_SHIFT, over_image
from tests.reference.windows import axial, shifted_window

KEY_BIASES = {f"{axis}/key/bias": ROW_SHIFT for axis in ("height", "width")}


def windows(name, window, shift, **options):
    return over_image(
        name,
        partial(
            layers.ShiftedWindowAttention,
            2,
            window,
            shift,
            key_dim=3,
            **options,
        ),
        partial(shifted_window, window=window, shift=shift),
        still={"attention/key/bias": ROW_SHIFT},
    )


CASES = [
    over_image(
        "axial",
        partial(layers.AxialAttention, 2, 3),
        axial,
        sizes=Sizes(value_width=3),
        still=KEY_BIASES,
        tags=GATE - {"weights"},
    ),
    over_image(
        "axial_width",
        partial(layers.AxialAttention, 2, 3, 4, axes=("width",), use_bias=False),
        partial(axial, axes=("width",)),
    ),
    windows("windows", (2, 3), (0, 0)),
    windows("shifted_windows", (2, 3), (1, 2), use_bias=False),
]
