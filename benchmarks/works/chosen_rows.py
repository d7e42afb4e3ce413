"""The weights of eight queries, beside a call that gives the weights of all."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import numpy_of
from benchmarks.harness import Contender, Cost, Goal, Work
from benchmarks.stepping import compiled_step
from benchmarks.works.multi_head import weights_of
from benchmarks.works.window import HEADS, WIDTH, inputs_of

COUNT = 8


def rows_of(size):
    return [size["length"] * place // COUNT for place in range(COUNT)]


def contender(size, look, shown):
    """``look(layer, inputs)`` compiled; ``shown(weights)`` are the eight rows of it."""
    from regard.layers import MultiHeadAttention

    layer = MultiHeadAttention(HEADS, WIDTH // HEADS)
    layer.build(*[(1, size["length"], WIDTH)] * 2)
    layer.set_weights(weights_of(layer))
    step = lambda inputs, kept: (look(layer, inputs), kept)  # noqa: E731
    run = compiled_step(step, layer, inputs_of(size)[0], np.zeros(1, "float32"))
    return Contender({"weights": run}, lambda: [shown(numpy_of(run()))])


def ours(size):
    import regard

    return contender(
        size,
        lambda layer, inputs: regard.weights_of(layer, inputs, rows=rows_of(size)),
        lambda weights: weights,
    )


def all_weights(size):
    return contender(
        size,
        lambda layer, inputs: layer(inputs, return_attention_scores=True)[1],
        lambda weights: weights[:, :, rows_of(size)],
    )


def cost(size, action):
    """All keys are projected, and compared with eight queries."""
    tokens, pairs = size["length"], size["length"] * COUNT
    products = 2 * (tokens + COUNT) * WIDTH**2 + 2 * pairs * WIDTH
    traffic = 4 * (tokens * WIDTH + 2 * WIDTH**2 + pairs * HEADS)
    return Cost(products, traffic, pairs * HEADS)


WORK = Work(
    name="chosen_rows",
    title="the weights of 8 queries, 4 heads, width 64",
    sizes=({"length": 8192},),
    quick=({"length": 2048},),
    contenders=lambda backend, size: {
        "regard": lambda: ours(size),
        "all weights": lambda: all_weights(size),
    },
    goals=lambda backend: [
        Goal("speed", "weights", "all weights", 50),
        Goal("memory", "weights", "all weights", 0.02),
    ],
    cost=cost,
    memory=True,
)
