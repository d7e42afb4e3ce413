"""Errors against float64 NumPy: of outputs directly, of gradients along directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.contenders import factors
from benchmarks.harness import Contender

STEP = 1e-4  # of central differences of fourth order in float64: error about 1e-12


def error(
    contender: Contender,
    inputs: Sequence[np.ndarray],
    exact: Callable[..., np.ndarray],
) -> dict[str, float]:
    """Relative errors of the output and of the gradients of the inputs.

    ``exact(*inputs)`` computes in float64. The gradient of each input is compared along
    a random direction, relative to what such a direction gives at its largest.
    """
    assert contender.result is not None
    output, *gradients = contender.result()
    wide = [np.asarray(x, "float64") for x in inputs]
    wanted = exact(*wide)
    by = factors(wanted).astype("float64")
    random = np.random.default_rng(2)
    off = []
    for place, gradient in enumerate(gradients):
        direction = random.normal(size=gradient.shape)

        def loss(step, place=place, direction=direction):
            moved = list(wide)
            moved[place] = wide[place] + step * direction
            return (exact(*moved) * by).sum()

        slope = 8 * (loss(STEP) - loss(-STEP)) - (loss(2 * STEP) - loss(-2 * STEP))
        found = (gradient * direction).sum()
        off.append(abs(found - slope / (12 * STEP)) / np.linalg.norm(gradient))
    return {
        "output": float(np.abs(output - wanted).max() / np.abs(wanted).max()),
        "gradient": float(max(off)),
    }


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
