"""Monotonic alignment: where a reader who only walks forward stops, and is expected to.

The reader begins where the step before stopped and asks at every key whether to stay,
with probability p; what was passed is never seen again. Raffel et al. 2017,
arXiv:1704.00784. All functions take ``choose`` (…, S), the probabilities, 0 at hidden
keys, and ``previous`` (…, S), the alignment of the step before, in float32.
"""

from typing import Any

from jaxtyping import Float
from keras import ops

from regard.core.alignments.history import shifted
from regard.core.shapes import is_static

Tensor = Any
Row = Float[Tensor, "*b s"]
_ROUNDS = 16  # of doubling where the length is not a number: enough for 65536 keys


def carried(keep: Row, enter: Row) -> Row:
    r"""$q_j = \mathrm{keep}_j\, q_{j-1} + \mathrm{enter}_j$ along the last axis.

    By doubling, in log2(S) rounds that only multiply and add: no quotient, so no mass
    is lost where products of ``keep`` get small.
    """
    length = ops.shape(keep)[-1]
    rounds = (length - 1).bit_length() if is_static(length) else _ROUNDS
    for distance in (1 << each for each in range(rounds)):
        enter = enter + keep * shifted(enter, distance)
        keep = keep * shifted(keep, distance)
    return enter


def expected_alignment(choose: Row, previous: Row) -> Row:
    r"""$\alpha_j = p_j q_j,\ q_j = (1 - p_{j-1}) q_{j-1} + \alpha^{-}_j$.

    All j at once. The sum is at most that of
    ``previous``: what is missing belongs to readers who walked past the end.
    """
    return choose * carried(shifted(1.0 - choose), previous)


def recursive_alignment(choose: Row, previous: Row) -> Row:
    """The same as ``expected_alignment``, key after key, as the paper states it."""
    length = ops.shape(choose)[-1]
    if not is_static(length):
        raise ValueError(
            'mode must be "parallel" while the number of keys is unknown, because '
            '"recursive" walks over them in Python. Got "recursive".'
        )
    reached, found = 0.0, []
    for j in range(length):
        reached = previous[..., j] + reached
        found.append(choose[..., j] * reached)
        reached = (1.0 - choose[..., j]) * reached
    return ops.stack(found, axis=-1)


def hard_alignment(choose: Row, previous: Row) -> Row:
    """One-hot at the first chosen key not before the previous one, or all zeros.

    ``choose`` is 0 or 1.
    """
    chosen = choose * ops.cumsum(previous, axis=-1)
    before = ops.cumsum(chosen, axis=-1) - chosen
    return ops.where(before > 0, ops.zeros_like(chosen), chosen)


def with_mass_kept(alignment: Row, mask: Row) -> Row:
    """What is missing to a sum of one goes to the last real key.

    Ma et al. 2020, arXiv:1909.12406, as their code has it.
    """
    real = ops.cast(mask, alignment.dtype)
    behind = ops.flip(ops.cumsum(ops.flip(real, axis=-1), axis=-1), axis=-1)
    last = real * ops.cast(ops.equal(behind, 1), alignment.dtype)
    missing = 1.0 - ops.sum(alignment, axis=-1, keepdims=True)
    return alignment + last * ops.maximum(missing, 0.0)


ALIGNMENTS = {
    "parallel": expected_alignment,
    "recursive": recursive_alignment,
    "hard": hard_alignment,
}
