"""Getting numbers out of code that a backend is still tracing."""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def when_known(tensors: Any, receive: Callable[[Any], None], layer: Any) -> None:
    """Hand over ``tensors``, at once or when the traced code runs.

    On JAX tensors inside ``jit``, ``grad`` and loops arrive through a callback. Where a
    backend offers no such way (symbolic tensors, TensorFlow graphs, vectorized maps of
    torch) one warning names the layer, and the model goes on undisturbed.
    """
    if known(tensors):
        receive(tensors)
    elif keras.backend.backend() == "jax" and not any(
        map(_is_symbolic, _leaves(tensors))
    ):
        import jax

        jax.debug.callback(receive, tensors)
    else:
        warnings.warn(
            f"{layer.name} ran inside traced code, where its numbers cannot be "
            "recorded. Call the model on arrays, without tf.function or vectorized "
            "maps around it.",
            stacklevel=2,
        )


def known(tensors: Any) -> bool:
    """Whether all of them hold numbers already."""
    return all(map(_is_known, _leaves(tensors)))


def whose_code() -> Any:
    """Equal where one piece of code is traced, or none; inside a loop it is another.

    What is traced must leave from the piece that it came about in.
    """
    if keras.backend.backend() == "jax":
        try:
            from jax.extend.core import get_opaque_trace_state
        except ImportError:  # an older JAX does not say
            return object()
        return get_opaque_trace_state()
    return None


def _leaves(tensors: Any) -> list[Any]:
    return [each for each in keras.tree.flatten(tensors) if each is not None]


def wait_for_callbacks() -> None:
    """Let everything that is on its way arrive."""
    if keras.backend.backend() == "jax":
        import jax

        jax.effects_barrier()


def settled(tensors: dict[str, Any]) -> dict[str, Any]:
    """As arrays of their own once they are computed; what is still traced, as it is.

    JAX runs ahead and holds what is on its way; small tensors that stay among large
    ones keep the memory that TensorFlow has taken from being used again.
    """
    if not known(tensors):
        return tensors
    to_numpy = keras.ops.convert_to_numpy
    return {name: np.array(to_numpy(each)) for name, each in tensors.items()}


def _is_symbolic(tensor: Any) -> bool:
    return isinstance(tensor, keras.KerasTensor)


def _is_known(tensor: Any) -> bool:
    if _is_symbolic(tensor):
        return False
    if isinstance(tensor, np.ndarray):
        return True
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    if backend == "tensorflow":
        return hasattr(tensor, "numpy")
    if backend == "torch":
        import torch

        return not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    return True
