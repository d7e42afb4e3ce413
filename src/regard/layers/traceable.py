"""Layers that can show how they came to their answer."""

from contextlib import ExitStack, contextmanager
from functools import partial

import keras
import numpy as np
from keras import ops

from regard.recording import Recorder, recorders, recording
from regard.trace import Trace


class Traceable(keras.layers.Layer):
    """Adds ``trace`` to a layer that delivers its intermediates; abstract."""

    mechanism = ""

    def reports_for(self):
        """Layers inside this one whose attention this one reports as its own."""
        return ()

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
            records.append(to_numpy(tensors))

        with recording(Recorder(lambda layer: layer is self, receive)):
            output = self(*args, **kwargs)
        first = output[0] if isinstance(output, (tuple, list)) else output
        return as_trace(self, {**records[-1], "output": ops.convert_to_numpy(first)})


def to_numpy(tensors):
    """A dict (of dicts) of tensors as NumPy arrays; half precision becomes float32."""
    if isinstance(tensors, dict):
        return {name: to_numpy(tensor) for name, tensor in tensors.items()}
    if tensors is None:
        return None
    if keras.backend.standardize_dtype(tensors.dtype) == "bfloat16":
        tensors = ops.cast(tensors, "float32")
    return np.asarray(ops.convert_to_numpy(tensors))


def as_trace(layer, arrays, mechanism=None) -> Trace:
    """The record of one call as a Trace, of a layer of ours or of what is named."""
    fields = {name: arrays.get(name) for name in Trace.names()}
    return Trace(
        mechanism=mechanism or layer.mechanism,
        layer=layer.path or layer.name,
        masks=arrays.get("masks") or {},
        extra=arrays.get("extra") or {},
        **fields,
    )
