"""Forward attention: a walk over the keys that stays or moves on by one."""

from typing import Any

from jaxtyping import Bool, Float
from keras import ops

from regard.core.alignments.history import shifted

Tensor = Any
LEAST = 1e-6  # what every real key keeps, so that no alignment dies out


def forward_alignment(
    chosen: Float[Tensor, "*b s"],
    previous: Float[Tensor, "*b s"],
    mask: Bool[Tensor, "*b s"],
    move: Float[Tensor, "*b 1"] | None = None,
) -> Float[Tensor, "*b s"]:
    r"""$a_j \propto ((1 - u)\, a^{-}_j + u\, a^{-}_{j-1})\, y_j$ over the real keys.

    The forward filter of a hidden Markov chain: ``chosen`` (y) are the likelihoods and
    ``move`` (u) is the probability of going on to the next key, without it 1/2; then
    the halves are left out, as the sum of the row cancels them. Zhang, Ling, Dai 2018,
    arXiv:1807.06736. Rows without a real key are zero.
    """
    if move is None:
        walked = previous + shifted(previous)
    else:
        walked = (1.0 - move) * previous + move * shifted(previous)
    kept = ops.maximum(walked * chosen, LEAST)
    kept = ops.where(mask, kept, ops.zeros_like(kept))
    total = ops.sum(kept, axis=-1, keepdims=True)
    return kept / ops.where(total == 0, ops.ones_like(total), total)
