"""Images among what a layer takes and returns, and their pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.trace import Trace


def image_of(trace: Trace) -> tuple[int, int] | None:
    """Height and width of what a layer over images returned."""
    output: Any = trace.output
    if "data_format" not in trace.settings or np.ndim(output) != 4:
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
    row, column = divmod(query, image[1])
    found = {"row": row, "column": column, "columns": image[1]}
    given = next(iter(inputs.values()), None)
    count = queries if given is None else given.shape[0] * given.shape[1]
    shown = np.reshape(masks.get("padding", np.ones(count, bool)), -1)
    if given is None:
        return {**found, "shown": shown}
    pixels = np.where(shown[:, None], given.reshape(count, -1), 0.0)
    return {**found, "shown": shown, "pixels": pixels}
