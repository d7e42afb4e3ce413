"""Images among what a layer takes and returns, and their pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.trace import Trace


def image_of(trace: Trace) -> tuple[int, int] | None:
    """Height and width of an output that is an image made from one."""
    output: Any = trace.output
    given: Any = next(iter(trace.inputs.values()), None)
    if np.ndim(given) != 4 or np.ndim(output) != 4:
        return None
    return channels_last(output, trace.settings).shape[1:3]


def channels_last(array: Any, settings: Mapping[str, Any]) -> Any:
    """An image (B, C, H, W) as (B, H, W, C), where the layer takes such."""
    if settings.get("data_format") == "channels_first" and np.ndim(array) == 4:
        return np.moveaxis(array, 1, -1)
    return array


def image_names(
    trace: Trace,
    inputs: Mapping[str, Any],
    masks: Mapping[str, Any],
    queries: int,
    query: int,
) -> dict[str, Any]:
    """What is there only where pixels ask."""
    image = image_of(trace)
    if image is None or image[0] * image[1] != queries:
        return {}
    given = next(iter(inputs.values()))
    pixels = given.reshape(-1, given.shape[-1])
    hidden = ~np.reshape(masks.get("padding", np.ones(len(pixels), bool)), (-1, 1))
    row, column = divmod(query, image[1])
    return {
        "pixels": np.where(hidden, 0.0, pixels),
        "shown": ~hidden[:, 0],
        **{"row": row, "column": column, "columns": image[1]},
    }
