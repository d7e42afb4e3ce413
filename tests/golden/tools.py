"""How adapters put a package's tensors through a layer of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from regard.recording import Recorder, recording
from tests.golden.cases import Case

Tensors = dict[str, Any]
Run = Callable[[Tensors], Tensors]


@dataclass(frozen=True)
class Adapter:
    """Makes a run from a case; with ``reproduces`` its layer knows ``faithful``."""

    make: Callable[..., Run]
    reproduces: bool

    def run(self, case: Case, faithful: bool) -> Run:
        """From inputs and weights by the package's names to outputs by its names."""
        return self.make(case, faithful) if self.reproduces else self.make(case)


ADAPTERS: dict[str, Adapter] = {}


def adapts(*names: str, reproduces: bool = False):
    """Register an adapter for classes of the index."""

    def register(make):
        for name in names:
            ADAPTERS[name] = Adapter(make, reproduces)
        return make

    return register


class Applied:
    """A layer whose weights are tensors of the caller, so that gradients reach them."""

    def __init__(self, layer: keras.Layer):
        self.layer = layer
        self.losses: list = []

    def __call__(self, weights: list, *args, **kwargs):
        if not self.layer.built:
            with concretely():
                self.layer(*symbols(args), **symbols(kwargs))
        variables = self.layer.weights
        shapes = [tuple(v.shape) for v in variables]
        found = [tuple(w.shape) for w in weights]
        if shapes != found:
            raise ValueError(
                f"the layer has weights {shapes}, the adapter gave {found}"
            )
        pairs = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=pairs, collect_losses=True) as scope:
            output = self.layer(*args, **kwargs)
        self.losses = scope.losses
        return output


def listened(layer: keras.Layer, ask: Callable[[], Any]):
    """The answer of a call, and the tensors of the last record it delivered."""
    heard: list[Tensors] = []

    def receive(_, tensors):
        heard.append(tensors)

    with recording(Recorder(lambda each: each is layer, receive)):
        answer = ask()
    return answer, heard[-1]


def concretely():
    """Make weights that are numbers, also while JAX traces."""
    if keras.backend.backend() != "jax":
        return nullcontext()
    import jax

    return jax.ensure_compile_time_eval()


def symbols(arguments):
    """Tensors as Keras' placeholders, so that a layer is built and nothing computed."""

    def symbol(value):
        if not keras.ops.is_tensor(value):
            return value
        kind = keras.backend.standardize_dtype(value.dtype)
        return keras.KerasTensor(tuple(value.shape), dtype=kind)

    return keras.tree.map_structure(symbol, arguments)


def named(tensors: Tensors, *names: str) -> list:
    """Those of the named tensors that are there, in this order."""
    return [tensors[name] for name in names if name in tensors]


def linear(tensors: Tensors, name: str, inputs):
    """``torch.nn.Linear`` by its name: x W^T + b."""
    outputs = ops.matmul(inputs, ops.transpose(tensors[f"{name}.weight"]))
    bias = tensors.get(f"{name}.bias")
    return outputs if bias is None else outputs + bias


def within(lengths, length: int):
    """Lengths (B,) -> keep-mask (B, length); None stays None."""
    if lengths is None:
        return None
    return ops.arange(length, dtype="int32")[None] < ops.cast(lengths, "int32")[:, None]


def opposite(mask):
    """True = ignore becomes True = keep; None stays None."""
    return None if mask is None else ops.logical_not(ops.cast(mask, "bool"))


def refuse_options(case: Case, **known):
    """Raise where a constructor option is set to what the adapter does not express."""
    for name, allowed in known.items():
        value = case.constructor.get(name, allowed[0])
        if value not in allowed:
            raise NotImplementedError(f"{name}={value!r} has no adapter")
