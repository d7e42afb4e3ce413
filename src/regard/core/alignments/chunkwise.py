"""Soft attention over what lies behind a monotonic alignment."""

from typing import Any

from jaxtyping import Float
from keras import ops

from regard.core.alignments.history import shifted
from regard.core.alignments.monotonic import carried
from regard.core.normalizers.part import LOWEST
from regard.core.shapes import is_static

Tensor = Any
Row = Float[Tensor, "*b s"]


def chunkwise_weights(alignment: Row, scores: Row, mask: Row, size: int) -> Row:
    r"""$\beta_j = \sum_{k=j}^{j+w-1} \alpha_k\, \mathrm{softmax}_{l=k-w+1}^{k}(u)_j$.

    Chiu and Raffel 2018, arXiv:1712.05382 (MoChA). Every chunk is
    normalized by itself, so that no chunk underflows and the sum stays that of
    ``alignment``, which must be 0 at hidden keys. Scores of hidden keys do not matter.
    """
    visible = ops.where(mask, scores, ops.full_like(scores, LOWEST))
    inside = [_back(visible, back) for back in range(size)]
    top = inside[0]
    for each in inside[1:]:
        top = ops.maximum(top, each)
    top = ops.stop_gradient(ops.where(top <= LOWEST, ops.zeros_like(top), top))
    powers = [ops.exp(each - top) for each in inside]
    total = sum(powers[1:], powers[0])
    share = alignment / ops.where(total == 0, ops.ones_like(total), total)
    weights = ops.zeros_like(alignment)
    for back, power in enumerate(powers):
        weights = weights + _forth(share * power, back)
    return weights


def lookback_weights(alignment: Row, scores: Row, mask: Row) -> Row:
    r"""$\beta_j = \sum_{k \ge j} \alpha_k\, \mathrm{softmax}_{l \le k}(u)_j$.

    Arivazhagan et al. 2019, arXiv:1906.05218 (MILk). In log space: with
    $L_k = \ln \sum_{l \le k} e^{u_l}$ every factor $e^{L_j - L_{j+1}}$ is at most one.
    """
    visible = ops.where(mask, scores, ops.full_like(scores, LOWEST))
    total = _log_sums(visible)
    later = ops.flip(shifted(ops.flip(total, axis=-1)), axis=-1)
    last = ops.zeros_like(total[..., :1])
    fading = ops.concatenate([(total - later)[..., :-1], last], axis=-1)
    keep, enter = ops.exp(fading), alignment
    read = ops.flip(carried(ops.flip(keep, axis=-1), ops.flip(enter, axis=-1)), axis=-1)
    return ops.where(mask, ops.exp(visible - total) * read, ops.zeros_like(read))


def _log_sums(scores):
    """ln of the sums of exponentials up to every place, by doubling."""
    length = ops.shape(scores)[-1]
    rounds = (length - 1).bit_length() if is_static(length) else 16
    for distance in (1 << each for each in range(rounds)):
        scores = _log_add(scores, _back(scores, distance))
    return scores


def _log_add(first, second):
    """ln(e^first + e^second), safe where both are the lowest number."""
    high, low = ops.maximum(first, second), ops.minimum(first, second)
    return high + ops.log1p(ops.exp(low - high))


def _back(row, count):
    """What stands ``count`` places before; the lowest number beyond the front."""
    if count == 0:
        return row
    widths = [(0, 0)] * (len(row.shape) - 1) + [(count, 0)]
    padded = ops.pad(row, widths, constant_values=LOWEST)
    return padded[..., : ops.shape(row)[-1]]


def _forth(row, count):
    """Everything moved ``count`` places to the front; zeros come in at the end."""
    widths = [(0, 0)] * (len(row.shape) - 1) + [(0, count)]
    return ops.pad(row, widths)[..., count:]
