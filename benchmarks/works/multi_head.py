"""Multi-head attention beside Keras' layer, with the same weights."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import of_layer, random_inputs
from benchmarks.harness import Cost, Goal, Work
from benchmarks.reference import error, softmax

BATCH, HEADS = 2, 8
BOUNDS = {  # forward, train, memory of each
    "jax": (5, 4, 0.25, 0.25),
    "tensorflow": (1, 1, 1, 0.5),
    "torch": (1, 1, 1, 1),
}


def inputs_of(size):
    return random_inputs((BATCH, size["length"], size["width"]))


def layer_of(package, size, **options):
    width = size["width"]
    layer = package.MultiHeadAttention(HEADS, width // HEADS, **options)
    layer.build(*[(BATCH, size["length"], width)] * 2)
    layer.set_weights(weights_of(layer))
    return layer


def weights_of(layer):
    """The same for every layer that has the same shapes, in Keras' order."""
    random = np.random.default_rng(3)
    return [
        random.normal(size=each.shape, scale=0.1).astype("float32")
        for each in layer.trainable_variables
    ]


def itself(layer):
    """A layer that attends from its one input to it."""
    import keras

    class Itself(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, inputs, **options):
            return self.inner(inputs, inputs, **options)

    return Itself()


def ours(size):
    import regard

    return of_layer(itself(layer_of(regard.layers, size)), inputs_of(size))


def of_keras(size):
    import keras

    return of_layer(itself(layer_of(keras.layers, size)), inputs_of(size))


def cost(size, action):
    """Four projections, two products of pairs, an exponential for each pair."""
    width, tokens = size["width"], BATCH * size["length"]
    pairs = BATCH * size["length"] ** 2
    times = 3 if action == "train" else 1
    products = 4 * 2 * tokens * width**2 + 2 * 2 * pairs * width
    again = 2 if action == "train" else 1  # the backward pass needs the weights again
    traffic = 4 * times * (2 * tokens * width + 4 * width**2)
    return Cost(times * products, traffic, again * pairs * HEADS)


def exact_of(weights, heads=HEADS, mask=None):
    """Multi-head self-attention in float64, from weights in Keras' order."""
    wide = [np.asarray(each, "float64") for each in weights]
    projections, last = list(zip(wide[:6:2], wide[1:6:2], strict=True)), wide[6:]

    def exact(inputs):
        query, key, value = (
            np.einsum("btd,dhe->bhte", inputs, kernel) + bias[:, None]
            for kernel, bias in projections
        )
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        context = softmax(scores) @ value
        return np.einsum("bhte,hed->btd", context, last[0]) + last[1]

    return exact


def wrong(backend):
    import regard

    size = {"length": 96, "width": 128}
    layer = layer_of(regard.layers, size)
    contender = of_layer(itself(layer), inputs_of(size))
    return error(contender, inputs_of(size), exact_of(layer.get_weights()))


def beside_keras(forward, train, *memory):
    """Ratios to Keras' layer: of speeds, and of the memory of both actions."""
    return [
        Goal("speed", "forward", "keras", forward),
        Goal("speed", "train", "keras", train),
        Goal("memory", "forward", "keras", memory[0]),
        Goal("memory", "train", "keras", memory[1]),
    ]


WORK = Work(
    name="multi_head",
    title="multi-head attention, 8 heads, B=2",
    sizes=({"length": 2048, "width": 128}, {"length": 2048, "width": 512}),
    quick=({"length": 1024, "width": 128}, {"length": 1024, "width": 512}),
    contenders=lambda backend, size: {
        "regard": lambda: ours(size),
        "keras": lambda: of_keras(size),
    },
    goals=lambda backend: beside_keras(*BOUNDS[backend]),
    cost=cost,
    error=wrong,
    memory=True,
)
