"""The record of one attention call: what went in, every step, what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = ["Trace"]

_MAPPINGS = ("masks", "extra", "inputs", "parameters", "settings")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Trace:
    """Every intermediate of one attention call, in NumPy, by name.

    Shapes: ``B`` batch, ``H`` heads, ``T`` queries, ``S`` keys, ``D`` width. A
    single-head mechanism has ``H = 1``; a recurrent one has one query per step.
    What a mechanism does not have, or what was not wanted, is ``None``.

    - ``query`` ``(B, H, T, D)``, ``key`` and ``value`` ``(B, H, S, D)``: projected.
    - ``scores`` ``(B, H, T, S)``: compatibilities before bias, mask and normalizer.
    - ``bias``: what was added to the scores; broadcasts to ``(B, H, T, S)``.
    - ``mask``: boolean, True = may attend; broadcasts to ``(B, H, T, S)``.
    - ``weights`` ``(B, H, T, S)``: after the normalizer, before dropout.
    - ``context``: what was read; ``output``: what the layer returned.
    - ``masks``: the parts of ``mask`` by cause (padding, causal, window, scope, user).
    - ``extra``: intermediates that only this mechanism has, by name.
    - ``inputs``: what the layer was called with, by argument. These and ``output`` are
      not captured beside rows, heads or an outline, nor of a loop that is traced.
    - ``parameters``: the weights of the layer, by path; ``settings``: its config,
      and as ``attention_mask`` that of a scope which the call was given.
    - ``training``: whether the call was one of training, with dropout on.

    A trace never crosses a Keras call and keeps no reference to the layer; its mappings
    are read-only copies.
    """

    mechanism: str
    layer: str = ""
    query: np.ndarray | None = None
    key: np.ndarray | None = None
    value: np.ndarray | None = None
    scores: np.ndarray | None = None
    bias: np.ndarray | None = None
    mask: np.ndarray | None = None
    weights: np.ndarray | None = None
    context: np.ndarray | None = None
    output: np.ndarray | None = None
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: bool = False

    def __post_init__(self) -> None:
        for name in _MAPPINGS:
            mapping = MappingProxyType(dict(getattr(self, name)))
            object.__setattr__(self, name, mapping)

    def __repr__(self) -> str:
        parts = [repr(self.mechanism)]
        if self.layer:
            parts.append(f"layer={self.layer!r}")
        parts += [f"{name} {array.shape}" for name, array in self.arrays()]
        parts += [
            f"{name}: {', '.join(mapping)}"
            for name, mapping in (("masks", self.masks), ("extra", self.extra))
            if mapping
        ]
        parts += ["training"] * self.training
        return f"Trace({'; '.join(parts)})"

    def __getstate__(self) -> dict[str, Any]:
        # A mapping proxy does not pickle, so the copies travel as plain dicts.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {name: dict(values[name]) for name in _MAPPINGS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of its own arrays, present or not, in the order of the steps."""
        others = {"mechanism", "layer", "training", *_MAPPINGS}
        return tuple(each.name for each in fields(cls) if each.name not in others)

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """The named arrays that are present, in the order of the five steps."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray):
                yield each.name, value
