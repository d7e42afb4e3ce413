r"""How a head finds its place in a memory of slots, reads it and writes to it.

Memory (B, N, M); a head's weights (B, R, N) over the N slots. All in float32 at least.
"""

from typing import Any

from jaxtyping import Float
from keras import ops

from regard.core.scores import unit, widen

Tensor = Any
Memory = Float[Tensor, "b n m"]
Weights = Float[Tensor, "b r n"]
Numbers = Float[Tensor, "b r 1"]
_TINY = 1e-30  # of a weight whose logarithm is taken


def by_content(
    key: Float[Tensor, "b r m"], memory: Memory, strength: Numbers
) -> Weights:
    r"""$w_i = \mathrm{softmax}_i(\beta \cos(k, M_i))$.

    Graves, Wayne, Danihelka 2014, section 3.3.1, equations 5 and 6.
    """
    scores = ops.matmul(unit(key), ops.swapaxes(unit(memory), 1, 2))
    return ops.softmax(widen(strength) * scores, axis=-1)


def interpolated(content: Weights, before: Weights, gate: Numbers) -> Weights:
    """g * content + (1 - g) * before (section 3.3.2, equation 7)."""
    gate = widen(gate)
    return gate * widen(content) + (1 - gate) * widen(before)


def rotated(weights: Weights, shifts: Float[Tensor, "b r k"]) -> Weights:
    r"""$\tilde w_i = \sum_j w_j\, s_{i-j}$, indices modulo N (equation 8).

    ``shifts`` are the shares of moving by -K..K, an odd number of them: the last one
    moves every weight K slots up.
    """
    reach = shifts.shape[-1] // 2
    weights, shifts = widen(weights), widen(shifts)
    moved = [ops.roll(weights, by, axis=-1) for by in range(-reach, reach + 1)]
    return ops.sum(ops.stack(moved, axis=-1) * ops.expand_dims(shifts, -2), axis=-1)


def sharpened(weights: Weights, power: Numbers) -> Weights:
    r"""$w_i^\gamma / \sum_j w_j^\gamma$ (equation 9).

    Over logarithms, so that a large power cannot make every weight underflow.
    """
    logs = ops.log(ops.maximum(widen(weights), _TINY))
    return ops.softmax(widen(power) * logs, axis=-1)


def addressed(memory, before, head):
    """Weights of the heads by content, then place: all four steps.

    ``head`` holds key (B, R, M), strength, gate, power (B, R, 1), shifts (B, R, K).
    """
    content = by_content(head["key"], memory, head["strength"])
    mixed = interpolated(content, before, head["gate"])
    return sharpened(rotated(mixed, head["shifts"]), head["power"])


def read(weights: Weights, memory: Memory) -> Float[Tensor, "b r m"]:
    """What every head sees (section 3.1, equation 2)."""
    return ops.matmul(weights, memory)


def written(
    memory: Memory,
    weights: Weights,
    erase: Float[Tensor, "b r m"],
    add: Float[Tensor, "b r m"],
) -> Memory:
    r"""$M_i \prod_r (1 - w_{ri} e_r) + \sum_r w_{ri} a_r$ (section 3.2).

    Several heads erase first, in any order, and then add.
    """
    places = ops.expand_dims(weights, -1)  # (B, R, N, 1)
    kept = ops.prod(1 - places * ops.expand_dims(erase, -2), axis=1)
    return memory * kept + ops.matmul(ops.swapaxes(weights, 1, 2), add)
