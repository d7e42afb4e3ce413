"""What every normalizer is, and how hidden entries are kept out of a row."""

from typing import Any

from keras import ops

from regard.core.parts import Part

Tensor = Any
LOWEST = -3e38  # close to the smallest float32


class Normalizer(Part):
    """Scores and a boolean mask in, weights out; abstract.

    ``rowwise``: a row's weights depend on that row alone, so rows may be walked in
    blocks. ``distribution``: visible rows sum to one. ``shift_invariant``: adding a
    constant to a row changes nothing. ``has_weights``: it learns, one number per head.
    ``tables``: how many tables of all pairs, scores and weights among them, are alive
    at once where a backend fuses no operations, as measured on torch.
    """

    name = ""
    rowwise = True
    distribution = True
    shift_invariant = True
    tables = 3.0

    @property
    def has_weights(self) -> bool:
        return False

    def __call__(
        self, scores: Tensor, mask: Tensor | None = None, *parameters: Tensor
    ) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")


def top_of(scores: Tensor, mask: Tensor | None, fixed: bool = True) -> Tensor:
    """The largest visible score of each row, 0 where nothing is visible; (…, 1).

    Where it is ``fixed``, no gradient goes through it.
    """
    visible = scores
    if mask is not None:
        visible = ops.where(mask, scores, ops.full_like(scores, LOWEST))
    # Without ``initial`` a memory of no keys has no maximum.
    top = ops.max(visible, axis=-1, keepdims=True, initial=LOWEST)
    top = ops.where(top <= LOWEST, ops.zeros_like(top), top)
    return ops.stop_gradient(top) if fixed else top


def shifted(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Scores minus the largest visible one of their row; hidden ones are 0."""
    top = top_of(scores, mask)
    if mask is None:
        return scores - top
    return ops.where(mask, scores - top, ops.zeros_like(scores))


def hide(weights: Tensor, mask: Tensor | None) -> Tensor:
    """Weight zero where hidden, which also empties rows that see nothing."""
    return weights if mask is None else ops.where(mask, weights, 0.0)


def attended(scores: Tensor, mask: Tensor | None) -> Tensor:
    """True where a key may be seen and its score is not minus infinity."""
    real = scores > LOWEST
    return real if mask is None else ops.logical_and(mask, real)


def visible_count(scores: Tensor, mask: Tensor | None) -> Tensor:
    """How many keys each row sees, at least 1, (…, 1)."""
    if mask is None:
        ones = ops.ones_like(scores)
    else:
        ones = ops.cast(ops.broadcast_to(mask, ops.shape(scores)), scores.dtype)
    return ops.maximum(ops.sum(ones, axis=-1, keepdims=True), 1.0)


def per_head(parameter: Tensor) -> Tensor:
    """(H,) -> (1, H, 1, 1)."""
    return ops.reshape(parameter, (1, -1, 1, 1))
