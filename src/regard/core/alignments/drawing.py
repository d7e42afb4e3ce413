"""One key drawn from a row of weights."""

from typing import Any

from keras import ops

from regard.core.normalizers.hardmax import Hardmax
from regard.core.normalizers.part import LOWEST

Tensor = Any
_TINY = 1e-20


def gumbel(uniform: Tensor) -> Tensor:
    """Uniform numbers in [0, 1) as Gumbel's."""
    return -ops.log(-ops.log(ops.maximum(uniform, _TINY)))


def drawn(chances: Tensor, noise: Tensor, mask: Tensor):
    r"""One-hot rows $z$ (…, S), $\ln p(z)$ and the entropy of ``chances`` (…,).

    $z = \arg\max_j (\ln p_j + g_j)$ with Gumbel noise g is a draw from p; with zeros it
    is the likeliest. No gradient reaches z. A row without a key has zeros.
    """
    possible = ops.logical_and(mask, chances > 0)
    logs = ops.log(ops.where(possible, chances, ops.ones_like(chances)))
    trial = ops.where(possible, logs + noise, ops.full_like(logs, LOWEST))
    chosen = Hardmax()(trial, possible)
    entropy = -ops.sum(chances * logs, axis=-1)
    return chosen, ops.sum(chosen * logs, axis=-1), entropy
