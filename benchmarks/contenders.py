"""Contenders from layers, compiled as a user of each backend would have them.

JAX: ``jax.jit``, training by ``jax.value_and_grad`` of ``stateless_call``. TensorFlow:
``tf.function``, without XLA, which Keras leaves off where there is no GPU. PyTorch:
eager, because its compiler takes tens of seconds per layer.

The loss is the sum of the output times fixed random numbers; gradients are those of
every input and every weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.harness import Contender


def random_inputs(*shapes: Sequence[int], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def of_layer(layer: Any, inputs: Sequence[np.ndarray], **options: Any) -> Contender:
    """Forward and training of a Keras layer on the backend of this process."""
    import keras

    # Builds from shapes alone.
    output = layer(*[keras.KerasTensor(x.shape) for x in inputs], **options)
    make = {"jax": _on_jax, "tensorflow": _on_tensorflow, "torch": _on_torch}
    return make[keras.backend.backend()](layer, inputs, factors(output), options)


def of_module(module: Any, inputs: Sequence[np.ndarray]) -> Contender:
    """The same of a torch module, on any backend."""
    import torch

    with torch.no_grad():
        by = factors(module(*map(torch.tensor, inputs)))
    return _torch_actions(module, list(module.parameters()), inputs, by)


def factors(output: Any) -> np.ndarray:
    """What the loss multiplies an output of this shape with."""
    return random_inputs(tuple(output.shape), seed=1)[0]


def numpy_of(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor)


def _on_jax(layer, inputs, by, options):
    import jax

    arrays = [jax.numpy.asarray(x) for x in inputs]
    weights = [each.value for each in layer.trainable_variables]
    others = [each.value for each in layer.non_trainable_variables]

    def apply(weights, arrays):
        return layer.stateless_call(weights, others, *arrays, **options)[0]

    def loss(weights, arrays, by):
        return jax.numpy.sum(apply(weights, arrays) * by)

    forward = jax.jit(apply)
    by = jax.numpy.asarray(by)
    train = jax.jit(jax.value_and_grad(loss, argnums=(1, 0)))

    def result():
        return [forward(weights, arrays), *train(weights, arrays, by)[1][0]]

    return Contender(
        {
            "forward": lambda: jax.block_until_ready(forward(weights, arrays)),
            "train": lambda: jax.block_until_ready(train(weights, arrays, by)),
        },
        lambda: [numpy_of(each) for each in result()],
    )


def _on_tensorflow(layer, inputs, by, options):
    import tensorflow as tf

    arrays = [tf.constant(x) for x in inputs]
    by = tf.constant(by)

    @tf.function
    def forward(*arrays):
        return layer(*arrays, **options)

    @tf.function
    def train(*arrays):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            loss = tf.reduce_sum(layer(*arrays, **options) * by)
        wanted = [*arrays, *(each.value for each in layer.trainable_variables)]
        return loss, tape.gradient(loss, wanted)

    def run_training():
        loss, _ = train(*arrays)
        return loss.numpy()

    def result():
        return [forward(*arrays), *train(*arrays)[1][: len(arrays)]]

    return Contender(
        {"forward": lambda: forward(*arrays).numpy(), "train": run_training},
        lambda: [numpy_of(each) for each in result()],
    )


def _on_torch(layer, inputs, by, options):
    weights = [each.value for each in layer.trainable_variables]
    return _torch_actions(lambda *x: layer(*x, **options), weights, inputs, by)


def _torch_actions(apply, weights, inputs, by):
    import torch

    arrays = [torch.tensor(x, requires_grad=True) for x in inputs]
    by = torch.tensor(by)

    def forward():
        with torch.no_grad():
            return apply(*arrays)

    def train():
        loss = (apply(*arrays) * by).sum()
        return loss, torch.autograd.grad(loss, [*arrays, *weights])

    def result():
        return [forward(), *train()[1][: len(arrays)]]

    return Contender(
        {"forward": forward, "train": train},
        lambda: [numpy_of(each) for each in result()],
    )
