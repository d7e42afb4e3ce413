"""What a loss was called with, as a trace: its weights or scores, and its answer."""

from typing import Any

import numpy as np
from keras import ops

from regard.layers.traceable import settings_of, to_numpy
from regard.trace import Trace

_READS = {
    "coverage_loss": "weights",
    "guided_attention_loss": "weights",
    "entmax_loss": "scores",
}


def trace_of_loss(loss: Any, y_true: Any, y_pred: Any) -> Trace:
    """Before any reduction; weights (B, T, S), (B, H, T, S), scores (B, C), (B, T, C).

    Raises:
        ValueError: where the loss is none of ``regard.losses``.
    """
    mechanism = getattr(loss, "mechanism", "")
    if mechanism not in _READS:
        raise ValueError(
            "trace_or_layer must be a loss of regard.losses. "
            f"Got {type(loss).__name__}."
        )
    y_true, y_pred = (ops.convert_to_tensor(each) for each in (y_true, y_pred))
    true, predicted = (np.asarray(to_numpy(each)) for each in (y_true, y_pred))
    table = predicted[:, None] if predicted.ndim < 4 else predicted
    table = table[:, None] if table.ndim < 4 else table
    given: dict[str, Any] = {_READS[mechanism]: table}
    return Trace(
        mechanism=mechanism,
        layer=loss.name,
        output=to_numpy(loss.call(y_true, y_pred)),
        inputs={"y_true": true, "y_pred": predicted},
        settings=settings_of(loss),
        **given,
    )
