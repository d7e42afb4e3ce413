"""In which order a model calls its layers."""

from __future__ import annotations

from typing import Any

from regard.recording import Recorder, recording
from regard.seeing.capture import attention_layers, capture, choose
from regard.seeing.metrics.classifier import called, rows_of

__all__ = ["in_order"]


def in_order(model: Any, inputs: Any, layers: Any = None) -> list[str]:
    """The paths of the attention layers in the order of their first calls.

    A model lists layers in the order in which it made them, which may be another one.

    Raises:
        ValueError: where none of them is called.
    """
    chosen = choose(attention_layers(model), layers)
    names = {id(layer): name for name, layer in chosen.items()}
    found: list[str] = []

    def note(layer: Any, tensors: Any) -> None:
        if names[id(layer)] not in found:
            found.append(names[id(layer)])

    listening = Recorder(lambda layer: id(layer) in names, note)
    with capture(model, layers, rows=0), recording(listening):
        called(model, rows_of(inputs, slice(0, 1)))
    if not found:
        raise ValueError(
            "layers must be called when the model reads data. Got "
            f"{', '.join(chosen)}, of which none was."
        )
    return found
