"""Bahdanau's additive attention, beside Keras' layer after the same projections."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import of_layer, random_inputs
from benchmarks.harness import Cost, Work
from benchmarks.reference import error, softmax
from benchmarks.works.multi_head import beside_keras, weights_of

BATCH, WIDTH = 2, 128
SPEEDS = {"jax": (20, 6), "tensorflow": (2.5, 2), "torch": (10, 6)}


def inputs_of(size):
    shape = (BATCH, size["length"], WIDTH)
    return random_inputs(shape, shape)


def ours(size, layers=None):
    from regard.layers import AdditiveAttention

    layer = AdditiveAttention(WIDTH)
    layer.build(*[(BATCH, size["length"], WIDTH)] * 2)
    layer.set_weights(weights_of(layer))
    if layers is not None:
        layers.append(layer)
    return of_layer(layer, inputs_of(size))


def of_keras(size):
    """Keras' layer has no projections of its own; it gets two without bias."""
    import keras

    class Projected(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.query_dense = keras.layers.Dense(WIDTH, use_bias=False)
            self.key_dense = keras.layers.Dense(WIDTH, use_bias=False)
            self.attention = keras.layers.AdditiveAttention()

        def build(self, shape):
            for part in (self.query_dense, self.key_dense):
                part.build(shape)
            self.attention.build([shape] * 3)

        def call(self, query, value):
            return self.attention(
                [self.query_dense(query), value, self.key_dense(value)]
            )

    layer = Projected()
    layer.build((BATCH, size["length"], WIDTH))
    layer.set_weights(weights_of(layer))
    return of_layer(layer, inputs_of(size))


def cost(size, action):
    """tanh(a + b) = 1 - 2 / (1 + e^2a e^2b): in each unit a pair needs a product, a
    sum, a quotient and another sum, counted like those of matrices; exponentials only
    each token, and each pair for its weight.
    """
    pairs, tokens = BATCH * size["length"] ** 2, BATCH * size["length"]
    times = 3 if action == "train" else 1
    products = 2 * tokens * WIDTH * WIDTH * 2 + (2 + 4) * pairs * WIDTH
    functions = (pairs + 2 * tokens * WIDTH) * (2 if action == "train" else 1)
    return Cost(times * products, 4 * 3 * times * tokens * WIDTH, functions)


def wrong(backend):
    layers: list = []
    size = {"length": 96}
    contender = ours(size, layers)
    weights = [
        np.asarray(each.numpy(), "float64") for each in layers[0].trainable_variables
    ]

    def exact(query, value):
        query_kernel, key_kernel, vector = weights
        sums = (query @ query_kernel)[:, :, None] + (value @ key_kernel)[:, None]
        return softmax(np.tanh(sums) @ vector) @ value

    return error(contender, inputs_of(size), exact)


WORK = Work(
    name="additive",
    title="additive attention, B=2, D=128",
    sizes=({"length": 2048},),
    quick=({"length": 256},),
    contenders=lambda backend, size: {
        "regard": lambda: ours(size),
        "keras": lambda: of_keras(size),
    },
    goals=lambda backend: beside_keras(*SPEEDS[backend], 0.1, 0.1),
    cost=cost,
    error=wrong,
    memory=True,
)
