"""Compile a function of a model: one of the few places that know the backend."""

import keras


def compiled(function, model):
    """``function(*tensors)``, which reads the model's weights, as compiled code.

    Tensors and nested tensors go in and come out. It is compiled once for each set of
    shapes, and weights may change between calls.

    JAX: ``jit`` with the weights as arguments. TensorFlow: ``tf.function``. PyTorch:
    as it is, without gradients, because its compiler takes longer than it saves.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return _with_jax(function, model)
    if backend == "tensorflow":
        import tensorflow

        # Nothing here branches on a tensor, so there is nothing to rewrite either.
        return tensorflow.function(function, reduce_retracing=False, autograph=False)
    if backend == "torch":
        import torch

        return torch.no_grad()(function)
    return function


def _with_jax(function, model):
    import jax

    @jax.jit
    def pure(values, tensors):
        mapping = zip(model.variables, values, strict=True)
        with keras.StatelessScope(state_mapping=list(mapping)):
            return function(*tensors)

    def run(*tensors):
        return pure([variable.value for variable in model.variables], tensors)

    return run
