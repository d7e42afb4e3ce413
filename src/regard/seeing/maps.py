"""The traces of a capture, by the paths of the layers they are of."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from regard.layers.keras_internals import in_stateless_scope, in_symbolic_scope
from regard.layers.traceable import as_trace, copied, tensors_of, to_numpy
from regard.seeing import exchange
from regard.seeing.calls import Calls
from regard.seeing.causes import told_apart
from regard.seeing.drawing import draw
from regard.seeing.joining import joined, same_lengths
from regard.seeing.keras_layers import mechanism_of
from regard.seeing.noting import Noted, noting
from regard.seeing.reducing import Reduction
from regard.seeing.tracers import when_known
from regard.seeing.unconfirmed import warn_of_unconfirmed


class Maps(Mapping):
    """Layer path -> calls, in the order of the model's layers."""

    def __init__(self, names: Mapping[int, str], reduction: Reduction):
        self._names = dict(names)
        self.reduction = reduction
        self._calls = {name: Calls() for name in names.values()}
        self._batch: dict[str, int] | None = None
        self._preparing = False
        self.unread: dict[str, str] = {}  # why a layer is not captured, by path
        self.paddings: list[Any] = []  # inputs that say so, of the calls that run
        self._parameters: dict[int, dict[str, np.ndarray]] = {}
        self._running: dict[int, Noted] = {}

    def __getitem__(self, name: str) -> Calls:
        if name not in self._calls:
            known = ", ".join(self._calls) or "none"
            raise KeyError(f"{name!r} is not a captured layer. Captured: {known}.")
        return self._calls[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}: {len(c)}" for name, c in self._calls.items())
        return f"Maps({inside})"

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Layer -> calls -> field -> nested lists, which JSON takes."""
        return exchange.to_dict(self)

    def to_dataframe(self) -> Any:
        """A pandas table: one line for each pair that may be seen, with its weight."""
        return exchange.to_dataframe(self)

    def save(self, path: str | Path) -> Path:
        """Write everything into one ``.npz`` file, which ``Maps.load`` reads again."""
        return exchange.save(self, path)

    def plot(self, name: str | None = None, *args: Any, **options: Any) -> Any:
        """A figure of a layer's heads, by ``regard.reports.map_figures.plot_maps``:
        ``maps.plot("decoder/attention", query_tokens, key_tokens, example=0)``."""
        return draw(self, name, *args, **options)

    @classmethod
    def load(cls, path: str | Path) -> "Maps":
        """The maps of a file that ``save`` wrote.

        Raises:
            ValueError: where the file holds something else.
        """
        found = exchange.load(path)
        maps = cls(dict(enumerate(found)), Reduction())
        for name, calls in found.items():
            maps[name].extend(calls)
        return maps

    def accepts(self, layer: Any) -> bool:
        """True for the layers that are captured."""
        return id(layer) in self._names

    def noting(self, layer: Any) -> Callable[..., Any]:
        """The layer's ``call``, whose inputs, mode and answer are noted."""

        def hand_over(call: Noted, answer: Any) -> None:
            for given in call.given(self.reduction, answer):
                self._when_known(layer, given, call.training)

        return noting(layer, self._running, hand_over)

    def receive(self, layer: Any, tensors: dict[str, Any]) -> None:
        """Keep one call, also from inside compiled code.

        Not where Keras learns shapes alone, which torch does on numbers made up, nor
        where it builds a model by calling it, as ``predict`` does on JAX: with weights
        that nobody keeps.
        """
        if in_symbolic_scope() or (self._preparing and in_stateless_scope()):
            return
        call = self._running.get(id(layer))
        # Weights go along: on JAX they too are known only when traced code runs.
        given = {**tensors, "parameters": tensors_of(layer)}
        given["paddings"] = {str(n): each for n, each in enumerate(self.paddings)}
        if "outline" not in tensors:
            given["inputs"] = {} if call is None else call.inputs
        if call is not None and call.may_wait(given):
            call.waiting.append(given)
        else:
            self._when_known(layer, given, call is not None and call.training)

    def _when_known(self, layer: Any, given: dict[str, Any], training: bool) -> None:
        when_known(given, lambda arrays: self._keep(layer, arrays, training), layer)

    def _keep(self, layer: Any, arrays: dict[str, Any], training: bool) -> None:
        """Inside ``predict`` a call is joined to the same call of the batch before."""
        name = self._names[id(layer)]
        now = copied(arrays.pop("parameters"))
        parameters = {} if "outline" in arrays else self._shared(layer, now)
        arrays = to_numpy(arrays)
        paddings = [*arrays.pop("paddings").values()]
        arrays["masks"] = told_apart(arrays.get("masks") or {}, paddings)
        arrays = self.reduction.cut(arrays) | {"training": training}
        trace = as_trace(layer, arrays, mechanism_of(layer), parameters=parameters)
        warn_of_unconfirmed(name, trace)
        calls = self._calls[name]
        if self._batch is None:
            calls.append(trace)
            return
        place = self._batch.get(name, self._starts[name])
        self._batch[name] = place + 1
        if place < len(calls) and same_lengths(calls[place], trace):
            calls[place] = joined(calls[place], trace)
        else:
            calls.append(trace)

    def _shared(self, layer: Any, now: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Its weights now; calls between which they did not change share one copy."""
        before = self._parameters.get(id(layer))
        if before is None or any(
            not np.array_equal(before[name], now[name], equal_nan=True) for name in now
        ):
            self._parameters[id(layer)] = now
        return self._parameters.setdefault(id(layer), now)

    @contextmanager
    def joining(self):
        """Calls made inside belong to one ``predict``."""
        self._starts = {name: len(calls) for name, calls in self._calls.items()}
        self._batch = {}
        try:
            with self.preparing():
                yield
        finally:
            self._batch = None

    @contextmanager
    def preparing(self):
        """Keras may still build the model: until the first batch begins."""
        self._preparing = True
        try:
            yield
        finally:
            self._preparing = False

    def next_batch(self) -> None:
        """The next call of a layer is its first in a new batch."""
        self._preparing = False
        if self._batch is not None:
            self._batch = {}
