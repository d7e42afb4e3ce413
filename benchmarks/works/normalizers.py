"""Sparsemax and entmax-1.5 of rows of scores, beside the package entmax on torch."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import of_layer, of_module, random_inputs
from benchmarks.harness import Cost, Goal, Work
from benchmarks.reference import error

ROWS = 1024


def inputs_of(size):
    return [2 * each for each in random_inputs((ROWS, size["row"]))]


def ours(kind, inputs, mask=None):
    import keras

    from regard import normalizers

    part = {"sparsemax": normalizers.Sparsemax, "entmax15": normalizers.Entmax15}[kind]

    class Weigh(keras.layers.Layer):
        def call(self, scores):
            return part()(scores, mask)

    return of_layer(Weigh(), inputs)


def of_entmax(kind, size):
    import entmax
    import torch

    function = getattr(entmax, kind)

    class Weigh(torch.nn.Module):
        def forward(self, scores):
            return function(scores, dim=-1)

    return of_module(Weigh(), inputs_of(size))


def cost(size, action):
    """Read and written once: the row, and going back the weights and two gradients."""
    arrays = 2 + 3 if action == "train" else 2
    return Cost(traffic=4 * arrays * ROWS * size["row"])


def exact_of(kind, mask):
    """By bisection of the threshold, which needs no sorting."""
    power = 1 if kind == "sparsemax" else 2

    def weights(scores, threshold):
        return np.where(mask, np.maximum(scores / power - threshold, 0) ** power, 0)

    def exact(scores):
        top = np.where(mask, scores / power, -np.inf).max(-1, keepdims=True)
        low, high = top - 1, top
        for _ in range(200):
            middle = (low + high) / 2
            big = weights(scores, middle).sum(-1, keepdims=True) > 1
            low, high = np.where(big, middle, low), np.where(big, high, middle)
        found = weights(scores, low)
        return found / found.sum(-1, keepdims=True)

    return exact


def wrong(kind):
    """Rows of which two in three entries are masked."""
    scores = inputs_of({"row": 96})[0][:64]
    mask = np.random.default_rng(4).random(scores.shape) < 1 / 3
    mask[:, 0] = True
    return error(ours(kind, [scores], mask), [scores], exact_of(kind, mask))


def work(kind, title):
    return Work(
        name=kind,
        title=f"{title} of 1,024 rows",
        sizes=({"row": 512}, {"row": 4096}),
        quick=({"row": 512}, {"row": 4096}),
        contenders=lambda backend, size: {
            "regard": lambda: ours(kind, inputs_of(size)),
            "entmax": lambda: of_entmax(kind, size),
        },
        goals=lambda backend: [
            Goal("speed", "forward", "entmax", 1),
            Goal("speed", "train", "entmax", 1),
        ],
        cost=cost,
        error=lambda backend: wrong(kind),
    )


WORKS = (work("sparsemax", "sparsemax"), work("entmax15", "entmax-1.5"))
