"""Layers that can show how they came to their answer."""

import inspect
from contextlib import ExitStack, contextmanager
from functools import partial

import keras
import numpy as np
from keras import ops

from regard.core.scopes import Scope
from regard.layers.keras_internals import stored_value, training_now
from regard.recording import Recorder, recorders, recording
from regard.trace import Trace


class Traceable(keras.layers.Layer):
    """Adds ``trace`` to a layer that delivers its intermediates; abstract."""

    mechanism = ""

    def reports_for(self):
        """Layers inside this one whose attention this one reports as its own."""
        return ()

    def reads_with(self):
        """Layers inside this one with whose weights it reads."""
        return self.reports_for()

    def recorders(self):
        """Who listens to this layer now."""
        return recorders(self)

    @contextmanager
    def passing_on(self, inner):
        """Deliver as one's own what a layer inside does while the block runs."""
        with ExitStack() as stack:
            for listener in self.recorders():
                receive = partial(self._as_own, listener)
                of_inner = Recorder(
                    lambda layer: layer is inner, receive, listener.reduce
                )
                stack.enter_context(recording(of_inner))
            yield

    def _as_own(self, listener, layer, tensors):
        listener.receive(self, tensors)

    def trace(self, *args, **kwargs) -> Trace:
        """Call the layer and return every intermediate by name.

        Takes the arguments of a call, goes through ``__call__`` and leaves the answer
        as it is; ``trace.output`` is what the call would have returned first.
        """
        records = []

        def receive(layer, tensors):
            records.append({**to_numpy(tensors), "training": training_now()})

        with recording(Recorder(lambda layer: layer is self, receive)):
            output = self(*args, **kwargs)
        inputs = to_numpy(inputs_of(self, args, kwargs))
        output = answer_of(output)
        told = {"output": output, "inputs": inputs, "settings": scope_of(args, kwargs)}
        return as_trace(self, {**records[-1], **told})


def scope_of(args, kwargs):
    """The scope among a call's arguments, as a config has one."""
    given = (*args, *kwargs.values())
    scope = next((each for each in given if isinstance(each, Scope)), None)
    if scope is None:
        return {}
    config = {"class_name": type(scope).__name__, "config": scope.get_config()}
    return {"attention_mask": config}


def to_numpy(tensors):
    """A dict (of dicts) of tensors as NumPy arrays; half precision becomes float32."""
    if isinstance(tensors, dict):
        return {name: to_numpy(tensor) for name, tensor in tensors.items()}
    if tensors is None:
        return None
    if keras.backend.standardize_dtype(tensors.dtype) == "bfloat16":
        tensors = ops.cast(tensors, "float32")
    return np.asarray(ops.convert_to_numpy(tensors))


def answer_of(output):
    """What a call returned first, in NumPy."""
    first = output[0] if isinstance(output, (tuple, list)) else output
    return to_numpy(first)


def inputs_of(layer, args, kwargs):
    """The tensors a layer was called with, by the names of its arguments.

    A value or key that was left out is the query or the value, where the layer has
    arguments of these names; a list in the first place is taken apart.
    """
    names = list(inspect.signature(layer.call).parameters)
    if args and isinstance(args[0], (list, tuple)):
        names = names if names[0] == "query" else ["query", "value", "key"]
        args = (*args[0], *args[1:])
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    for name, usual in (("value", "query"), ("key", "value")):
        if name in names and given.get(name) is None and usual in given:
            given[name] = given[usual]
    return {n: each for n, each in given.items() if hasattr(each, "shape")}


def parameters_of(layer):
    """The weights of a layer by path below it, copied; without states of generators."""
    return copied(tensors_of(layer))


def tensors_of(layer):
    """What its weights hold now, by path below it; traced where a program has them."""
    prefix = f"{layer.path or layer.name}/"
    found = {}
    for each in layer.weights:
        held = stored_value(each)
        found[each.path.removeprefix(prefix)] = each.value if held is None else held
    return found


def copied(tensors):
    """Those of them that hold real numbers, as arrays of their own."""
    arrays = {name: to_numpy(each) for name, each in tensors.items()}
    return {n: each.copy() for n, each in arrays.items() if each.dtype.kind == "f"}


def settings_of(layer):
    """The configuration of a layer, its name alone where it cannot say it rightly."""
    try:
        return layer.get_config()
    except (NotImplementedError, AttributeError, TypeError):
        return {"name": layer.name}


def as_trace(layer, arrays, mechanism=None, parameters=None) -> Trace:
    """The record of one call as a Trace, of a layer of ours or of what is named."""
    fields = {name: arrays.get(name) for name in Trace.names()}
    return Trace(
        mechanism=layer.mechanism if mechanism is None else mechanism,
        layer=layer.path or layer.name,
        masks=arrays.get("masks") or {},
        extra=arrays.get("extra") or {},
        inputs=arrays.get("inputs") or {},
        parameters=parameters_of(layer) if parameters is None else parameters,
        settings={**settings_of(layer), **(arrays.get("settings") or {})},
        training=arrays.get("training", False),
        **fields,
    )
