"""Loops on JAX that are compiled once, also where a layer is called on numbers.

Called on numbers, JAX compiles a loop again whenever the function of a step is a new
one, as it is in every call that closes over its memory.
"""

import functools
import weakref

import keras

from regard.changing import anything_changes
from regard.layers.keras_internals import stateless_values
from regard.recording import anybody_listens


def as_one_program(method):
    """A method of a layer that is compiled once for each set of shapes and options.

    Positional arguments are nested tensors, as is what it returns; keywords are options
    that hash. The layer's weights may change between calls. The method runs as it is
    inside other compiled code, on other backends, while somebody listens or changes
    weights, and in training, where cells hold random numbers of one call.
    """

    @functools.wraps(method)
    def run(layer, *tensors, **options):
        values = _values_of(layer, tensors) if not options.get("training") else None
        if values is None:
            return method(layer, *tensors, **options)
        return _program(layer, method, options)(values, tensors)

    return run


# By layer, and gone with it: the programs know their layer by a weak reference only.
_PROGRAMS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _values_of(layer, tensors):
    """The weights' values where a program may be kept, else None."""
    if keras.backend.backend() != "jax" or anybody_listens() or anything_changes():
        return None
    import jax

    values = stateless_values(layer.variables)
    leaves = jax.tree.leaves((values, tensors))
    traced = (jax.core.Tracer, keras.KerasTensor)
    return None if any(isinstance(each, traced) for each in leaves) else values


def _program(layer, method, options):
    """The compiled method of this layer as it now is."""
    parts = tuple(id(each) for each in layer._flatten_layers())
    key = (method.__name__, layer.compute_dtype, parts, *sorted(options.items()))
    known = _PROGRAMS.setdefault(layer, {})
    if key not in known:
        known[key] = _compiled(weakref.ref(layer), method, options)
    return known[key]


def _compiled(reference, method, options):
    import jax

    @jax.jit
    def program(values, tensors):
        layer = reference()
        mapping = list(zip(layer.variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return method(layer, *tensors, **options)

    return program
