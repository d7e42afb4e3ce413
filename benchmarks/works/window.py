"""A causal window of 64 keys, beside Keras' layer with a sliding window."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import of_layer, random_inputs
from benchmarks.harness import Cost, Goal, Work
from benchmarks.reference import error
from benchmarks.works import multi_head

HEADS, WIDTH, WINDOW = 4, 64, 64
SPEEDS = {"jax": 80, "tensorflow": 8, "torch": 40}


def inputs_of(size):
    return random_inputs((1, size["length"], WIDTH))


def layer_of(size):
    from regard import Window
    from regard.layers import MultiHeadAttention

    layer = MultiHeadAttention(HEADS, WIDTH // HEADS, scope=Window(WINDOW - 1))
    return filled(layer, size)


def filled(layer, size):
    layer.build(*[(1, size["length"], WIDTH)] * 2)
    layer.set_weights(multi_head.weights_of(layer))
    return layer


def ours(size):
    return of_layer(multi_head.itself(layer_of(size)), inputs_of(size))


def of_keras(size):
    import keras

    layer = keras.layers.MultiHeadAttention(
        HEADS, WIDTH // HEADS, sliding_window=WINDOW
    )
    layer = multi_head.itself(filled(layer, size))
    return of_layer(layer, inputs_of(size), use_causal_mask=True)


def contenders(backend, size):
    found = {"regard": lambda: ours(size)}
    if size["length"] in (1024, 8192):  # its time grows with the square
        found["keras"] = lambda: of_keras(size)
    return found


def cost(size, action):
    """Every query is compared with the keys of its window, not with all."""
    tokens, times = size["length"], 3 if action == "train" else 1
    products = 4 * 2 * tokens * WIDTH**2 + 2 * 2 * tokens * WINDOW * WIDTH
    traffic = 4 * times * (2 * tokens * WIDTH + 4 * WIDTH**2)
    again = 2 if action == "train" else 1
    return Cost(times * products, traffic, again * tokens * WINDOW * HEADS)


def wrong(backend):
    size = {"length": 320}
    layer = layer_of(size)
    places = np.arange(size["length"])
    behind = places[:, None] - places
    mask = (behind >= 0) & (behind < WINDOW)
    exact = multi_head.exact_of(layer.get_weights(), HEADS, mask)
    contender = of_layer(multi_head.itself(layer), inputs_of(size))
    return error(contender, inputs_of(size), exact)


WORK = Work(
    name="window",
    title="causal window of 64 keys, B=1, 4 heads, width 64",
    sizes=tuple({"length": 8192 * 2**power} for power in range(4)),
    quick=({"length": 1024}, {"length": 2048}),
    contenders=contenders,
    goals=lambda backend: [
        Goal("speed", "forward", "keras", SPEEDS[backend]),
        Goal("speed", "train", "keras", SPEEDS[backend]),
        Goal("growth", "forward", bound=1.1),
        Goal("growth", "train", bound=1.1),
    ],
    cost=cost,
    error=wrong,
    units=lambda size: float(size["length"]),
)
