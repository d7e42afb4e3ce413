r"""Rows of scores become rows of weights.

A normalizer is an immutable part. ``normalizer(scores, mask)`` works on the last axis,
in float32 at least, and is exact on every row: hidden entries get weight 0, and a row
with nothing to look at is all zeros with gradient zero.
"""

from typing import Any

import keras
from keras import ops

Tensor = Any
# With the row's largest score moved to zero, the support of sparsemax lies above -1,
# and so does that of entmax-1.5 after halving. Whatever is at this floor is outside.
_FLOOR = -3.0
_LOWEST = -3e38  # close to the smallest float32


class Normalizer:
    """Scores and a boolean mask in, weights out; abstract."""

    name = ""

    def __call__(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({inside})"


@keras.saving.register_keras_serializable("regard")
class Softmax(Normalizer):
    r"""$a_j = e^{s_j} / \sum_k e^{s_k}$."""

    name = "softmax"

    def __call__(self, scores, mask=None):
        powers = ops.exp(shifted(scores, mask))
        if mask is not None:
            powers = ops.where(mask, powers, ops.zeros_like(powers))
        total = ops.sum(powers, axis=-1, keepdims=True)
        return powers / ops.where(total == 0, ops.ones_like(total), total)


@keras.saving.register_keras_serializable("regard")
class Sparsemax(Normalizer):
    r"""$a = \arg\min_{p \in \Delta} \lVert p - s \rVert^2$: exact zeros.

    Martins and Astudillo 2016, section 2.
    """

    name = "sparsemax"

    def __call__(self, scores, mask=None):
        weights = _sparsemax(floored(shifted(scores, mask), mask))
        return hide(weights, mask)


@keras.saving.register_keras_serializable("regard")
class Entmax15(Normalizer):
    r"""$a_j = [s_j/2 - \tau]_+^2$ with $\tau$ such that the row sums to one.

    Between softmax and sparsemax. Peters, Niculae, Martins 2019, section 4.
    """

    name = "entmax15"

    def __call__(self, scores, mask=None):
        weights = _entmax15(floored(shifted(scores, mask) / 2, mask))
        return hide(weights, mask)


_BY_NAME = {part.name: part for part in (Softmax, Sparsemax, Entmax15)}


def get(identifier: Any) -> Normalizer:
    """A normalizer from its name, its configuration or itself."""
    if isinstance(identifier, Normalizer):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]()
    if isinstance(identifier, dict):
        return get(keras.saving.deserialize_keras_object(identifier))
    raise ValueError(
        f"normalizer must be one of {', '.join(sorted(_BY_NAME))} or a "
        f"regard.normalizers object. Got {identifier!r}."
    )


def shifted(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Scores minus the largest visible one of their row; hidden ones stay finite."""
    visible = scores
    if mask is not None:
        visible = ops.where(mask, scores, ops.full_like(scores, _LOWEST))
    # Without ``initial`` a memory of no keys has no maximum.
    top = ops.max(visible, axis=-1, keepdims=True, initial=_LOWEST)
    top = ops.stop_gradient(ops.where(top <= _LOWEST, ops.zeros_like(top), top))
    if mask is None:
        return scores - top
    zero = ops.zeros_like(scores)
    return ops.where(mask, scores - top, zero)


def floored(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Move everything certainly outside the support, and the hidden, to the floor."""
    floor = ops.full_like(scores, _FLOOR)
    if mask is not None:
        scores = ops.where(mask, scores, floor)
    return ops.where(scores < _FLOOR, floor, scores)


def hide(weights: Tensor, mask: Tensor | None) -> Tensor:
    """Weight zero where hidden, which also empties rows that see nothing."""
    return (
        weights if mask is None else ops.where(mask, weights, ops.zeros_like(weights))
    )


def _descending(scores):
    """Sorted rows, their cumulative sums' counts 1..S, both float."""
    ordered = ops.flip(ops.sort(scores, axis=-1), axis=-1)
    counts = ops.cast(ops.arange(1, ops.shape(scores)[-1] + 1), ordered.dtype)
    return ordered, counts


def _at_support(values, inside):
    """The entry of each row's last position that lies inside the support."""
    size = ops.sum(ops.cast(inside, values.dtype), axis=-1, keepdims=True)
    counts = ops.cast(ops.arange(1, ops.shape(values)[-1] + 1), values.dtype)
    chosen = ops.where(counts == size, values, ops.zeros_like(values))
    return ops.sum(chosen, axis=-1, keepdims=True)


@ops.custom_gradient
def _sparsemax(scores):
    ordered, counts = _descending(scores)
    excess = (ops.cumsum(ordered, axis=-1) - 1.0) / counts
    threshold = _at_support(excess, excess < ordered)
    weights = ops.maximum(scores - threshold, 0.0)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        support = ops.cast(weights > 0, weights.dtype)
        mean = ops.sum(upstream * support, axis=-1, keepdims=True) / ops.sum(
            support, axis=-1, keepdims=True
        )
        return support * (upstream - mean)

    return weights, gradient


@ops.custom_gradient
def _entmax15(halves):
    ordered, counts = _descending(halves)
    mean = ops.cumsum(ordered, axis=-1) / counts
    mean_square = ops.cumsum(ops.square(ordered), axis=-1) / counts
    spread = (1.0 - counts * (mean_square - ops.square(mean))) / counts
    candidates = mean - ops.sqrt(ops.maximum(spread, 0.0))
    threshold = _at_support(candidates, candidates <= ordered)
    roots = ops.maximum(halves - threshold, 0.0)  # square roots of the weights

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        scaled = upstream * roots
        mean_slope = ops.sum(scaled, axis=-1, keepdims=True) / ops.sum(
            roots, axis=-1, keepdims=True
        )
        return 2.0 * (scaled - mean_slope * roots)  # with respect to scores / 2

    return ops.square(roots), gradient
