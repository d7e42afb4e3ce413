"""The places at which an attention layer of any make comes to its weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from typing import Any

import keras
from keras import ops

from regard.seeing.replacing import replaced


@contextmanager
def in_place_of_hearts(
    layer: Any, softmax: Callable, product: Callable
) -> Iterator[None]:
    """Others, made by ``softmax(method)`` and ``product(method)``, stand there.

    What they call themselves at these places is what stood there before.
    """
    running: list[bool] = []
    softmax, product = (partial(_alone, each, running) for each in (softmax, product))
    with ExitStack() as stack:
        for each in layer._flatten_layers(include_self=False):
            if isinstance(each, keras.layers.Softmax):
                stack.enter_context(replaced(each, "call", softmax(each.call)))
        places = (
            *((ops, "softmax", softmax), (ops.nn, "softmax", softmax)),
            (keras.activations, "softmax", softmax),
            *((module, "dot_product_attention", product) for module in (ops, ops.nn)),
        )
        for module, name, make in places:
            method = make(getattr(module, name))
            stack.enter_context(replaced(module, name, method))
        yield


def _alone(make: Callable, running: list[bool], method: Callable) -> Callable:
    other = make(method)

    @wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        if running:
            return method(*args, **options)
        running.append(True)
        try:
            return other(*args, **options)
        finally:
            running.pop()

    return call


def mask_of_softmax(rest: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Of a Softmax layer; an operation gets the number of an axis in its place."""
    tensors = [each for each in rest if hasattr(each, "shape")]
    return options.get("mask", tensors[0] if tensors else None)
