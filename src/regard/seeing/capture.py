"""See what a model attends to, without changing the model."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from regard.layers.traceable import Traceable, as_trace, to_numpy
from regard.recording import Recorder, recording
from regard.seeing.keras_layers import mechanism_of, read_off
from regard.seeing.replacing import replaced
from regard.seeing.tracers import wait_for_callbacks, when_known
from regard.trace import Trace

_COMPILED = ("train_function", "test_function", "predict_function")


class Calls(list):
    """The traces of one layer, in the order of its calls.

    Fields of a trace read from here are those of the last call: ``maps[name].weights``.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in {f.name for f in fields(Trace)}:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        if not self:
            raise AttributeError(
                f"The layer was not called while captured, so it has no {name}."
            )
        return getattr(self[-1], name)


class Maps(Mapping):
    """Layer path -> calls, in the order of the model's layers."""

    def __init__(self, names: Mapping[int, str]):
        self._names = dict(names)
        self._calls = {name: Calls() for name in names.values()}
        self._batch: dict[str, int] | None = None

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

    def accepts(self, layer: Any) -> bool:
        """True for the layers that are captured."""
        return id(layer) in self._names

    def receive(self, layer: Any, tensors: dict[str, Any]) -> None:
        """Keep one call, also from inside compiled code."""
        when_known(tensors, lambda arrays: self._keep(layer, arrays), layer)

    def _keep(self, layer: Any, arrays: dict[str, Any]) -> None:
        """Inside ``predict`` a call is joined to the same call of the batch before."""
        name = self._names[id(layer)]
        trace = as_trace(layer, to_numpy(arrays), mechanism_of(layer))
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

    @contextmanager
    def joining(self):
        """Calls made inside belong to one ``predict``."""
        self._starts = {name: len(calls) for name, calls in self._calls.items()}
        self._batch = {}
        try:
            yield
        finally:
            self._batch = None

    def next_batch(self) -> None:
        """The next call of a layer is its first in a new batch."""
        if self._batch is not None:
            self._batch = {}


def same_lengths(first: Trace, second: Trace) -> bool:
    """Two batches can be joined where only their first axes differ."""
    left, right = first.weights, second.weights
    return left is not None and right is not None and left.shape[1:] == right.shape[1:]


def joined(first: Any, second: Any) -> Trace:
    """One trace of two batches of the same lengths."""
    sizes = len(first.weights), len(second.weights)

    def join(left, right):
        if left is None or right is None or np.ndim(left) < 3:
            return left
        parts = zip((left, right), sizes, strict=True)
        return np.concatenate([np.broadcast_to(p, (n, *p.shape[1:])) for p, n in parts])

    def join_all(left, right):
        return {name: join(left[name], right[name]) for name in left}

    values = {f.name: getattr(first, f.name) for f in fields(Trace)}
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            values[name] = join(value, getattr(second, name))
    values["masks"] = join_all(first.masks, second.masks)
    values["extra"] = join_all(first.extra, second.extra)
    return Trace(**values)


def attend_to(model, *inputs, layers=None, **options) -> Maps:
    """What a model attends to in one call: ``maps[name].weights``, as in ``capture``.

    Args:
        model: as in ``capture``.
        *inputs: of the call.
        layers: as in ``capture``.
        **options: of the call, which is one of inference where they do not say.
    """
    with capture(model, layers) as maps:
        model(*inputs, **{"training": False, **options})
    return maps


@contextmanager
def capture(model, layers=None) -> Iterator[Maps]:
    """Record what the attention layers of a model do while the block runs.

        with regard.capture(model) as maps:
            model(x)                      # or model.predict(x)
        maps["decoder/additive_attention"].weights   # (B, H, T, S)

    The model computes what it would have computed; inside the block it runs eagerly,
    and its compiled functions are put back afterwards, also after an exception.

    Args:
        model: a Keras model or layer with any of ``regard.layers``, Keras' own
            ``Attention``, ``AdditiveAttention``, ``MultiHeadAttention`` and
            ``GroupQueryAttention`` or subclasses of them such as KerasHub's, nested as
            deep as you like.
        layers: names or paths of the layers to capture; by default all.

    Yields:
        A mapping from the layer's path to the list of its calls, each a ``Trace``. A
        path that occurs twice gets ``#2``. Batches of one ``predict`` are joined.

    Raises:
        ValueError: where the model has no such layer.
    """
    found = attention_layers(model)
    chosen = choose(found, layers)
    maps = Maps({id(layer): name for name, layer in chosen.items()})
    with ExitStack() as stack:
        stack.enter_context(eagerly(model, maps))
        stack.enter_context(recording(Recorder(maps.accepts, maps.receive)))
        for layer in chosen.values():
            if not isinstance(layer, Traceable):
                stack.enter_context(read_off(layer))
        stack.callback(wait_for_callbacks)
        yield maps


def attention_layers(model) -> dict[str, Any]:
    """Every attention layer inside a model by its path, in the model's order."""
    found: dict[str, Any] = {}
    layers = [each for each in model._flatten_layers() if _is_attention(each)]
    ours = [each for each in layers if isinstance(each, Traceable)]
    reported = {id(inner) for layer in ours for inner in layer.reports_for()}
    for layer in layers:
        if id(layer) not in reported:
            base = layer.path or layer.name
            count = sum(name.split("#")[0] == base for name in found)
            found[base if not count else f"{base}#{count + 1}"] = layer
    return found


def _is_attention(layer) -> bool:
    return isinstance(layer, Traceable) or mechanism_of(layer) is not None


def choose(found, layers) -> dict[str, Any]:
    """The layers that were asked for."""
    if not found:
        raise ValueError(
            "model must contain an attention layer of regard.layers or keras.layers. "
            "Got a model without one."
        )
    if layers is None:
        return found
    wanted = [layers] if isinstance(layers, str) else list(layers)
    chosen = {
        name: layer
        for name, layer in found.items()
        if name in wanted or layer.name in wanted
    }
    known = {*chosen, *(layer.name for layer in chosen.values())}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ValueError(
            f"layers must name attention layers of the model: {', '.join(found)}. "
            f"Got {', '.join(map(repr, missing))}."
        )
    return chosen


@contextmanager
def eagerly(model, maps):
    """Run a model eagerly and put its compiled functions back afterwards."""
    if not hasattr(model, "predict"):
        yield
        return
    compiled = {name: getattr(model, name, None) for name in _COMPILED}
    before = model.run_eagerly
    predict, step = model.predict, model.predict_step

    def joining_predict(*args, **kwargs):
        with maps.joining():
            return predict(*args, **kwargs)

    def counting_step(*args, **kwargs):
        maps.next_batch()
        return step(*args, **kwargs)

    for name in compiled:
        setattr(model, name, None)
    model.run_eagerly = True
    try:
        with (
            replaced(model, "predict", joining_predict),
            replaced(model, "predict_step", counting_step),
        ):
            yield
    finally:
        model.run_eagerly = before
        for name, function in compiled.items():
            setattr(model, name, function)
