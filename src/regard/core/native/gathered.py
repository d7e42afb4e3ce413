r"""Products inside a loop over time on torch, with gradients taken once, after it.

A step of a recurrent network multiplies a few rows with its weights, or its values.
Every step's gradient would make a matrix as large as those and add it up:

    y_t = x_t W + b,   dW = sum_t x_t^T dy_t,   db = sum_t dy_t

A ``_Product`` gives no gradient to its matrix, but leaves its rows with ``_Gathered``,
through which the matrix came: autograd runs that one once all products have run, so
that the sums are one product over the rows of all steps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch

from regard.core.native.calls import is_plain
from regard.core.native.onednn import WORTH, is_usable, multiplied

Tensor = Any

# By its own number, each matrix of the loop that runs now: itself and its _Gathered.
_KNOWN: ContextVar[dict[int, tuple] | None] = ContextVar("known", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Products inside the block that share a matrix take its gradient at once."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor | None:
    """``left (..., M, K)``, ``right (..., K, N)``, ``bias (N,)`` -> (..., M, N).

    A matrix comes with the same bias in every step. None where torch does it itself:
    outside of ``gathering`` and wherever there is more to this than a gradient.
    """
    known = _KNOWN.get()
    if known is None:
        return None
    if left.ndim > right.ndim == 2:
        found = product(left.flatten(0, -2), right, bias)
        return None if found is None else found.unflatten(0, left.shape[:-1])
    if not _learns(left, right, bias):
        return None
    if id(right) not in known:
        rest = _Rows()
        known[id(right)] = right, rest, *_Gathered.apply(rest, right, bias)
    _, rest, right, bias = known[id(right)]
    return _Product.apply(left, rest, right, bias)


def _learns(left, right, bias):
    if not (torch.is_grad_enabled() and right.requires_grad) or left.ndim != right.ndim:
        return False
    if not is_plain(left):
        return False
    kinds = {each.dtype for each in (left, right, bias) if each is not None}
    return len(kinds) == 1 and left.shape[:-2] == right.shape[:-2]


class _Rows:
    """What the products with one matrix left in one pass of the gradient."""

    def __init__(self):
        self.task, self.pairs = None, []

    def leave(self, rows, upstream):
        task = torch._C._current_graph_task_id()
        if task != self.task:  # an earlier pass did not ask for this matrix
            self.task, self.pairs = task, []
        self.pairs.append((rows, upstream))

    def taken(self):
        """Rows (..., M, K) and their gradients (..., M, N) of all steps, or None."""
        pairs, self.pairs = self.pairs, []
        if not pairs or self.task != torch._C._current_graph_task_id():
            return None
        return tuple(torch.cat(each, -2) for each in zip(*pairs, strict=True))


class _Gathered(torch.autograd.Function):
    """A matrix and its bias as they are, with the gradient of all their products."""

    @staticmethod
    def forward(ctx, rest, right, bias):
        ctx.rest, ctx.biased = rest, bias is not None
        ctx.set_materialize_grads(False)
        return right.view_as(right), bias.view_as(bias) if ctx.biased else None

    @staticmethod
    def backward(ctx, right, bias):
        """Of what came, there is only what a second gradient left."""
        found = ctx.rest.taken()
        if found is None:
            return None, right, bias
        rows, upstream = found
        gathered = rows.mT @ upstream
        right = gathered if right is None else right + gathered
        if ctx.biased:
            summed = upstream.flatten(0, -2).sum(0)
            bias = summed if bias is None else bias + summed
        return None, right, bias


class _Product(torch.autograd.Function):
    """left right + bias."""

    @staticmethod
    def forward(ctx, left, rest, right, bias):
        ctx.rest = rest
        ctx.save_for_backward(left, right)
        return _times(left, right, bias)

    @staticmethod
    def backward(ctx, upstream):
        left, right = ctx.saved_tensors
        if ctx.needs_input_grad[2]:
            ctx.rest.leave(left, upstream)
        below = _times(upstream, right.mT) if ctx.needs_input_grad[0] else None
        return below, None, None, None


def _times(left, right, bias=None):
    """left right + bias, by oneDNN where that pays and nobody takes a gradient."""
    large = left.ndim == 2 and len(left) * right.numel() >= WORTH
    if large and not torch.is_grad_enabled() and is_usable(left, right):
        return multiplied(left, right.mT, bias)
    found = left @ right
    return found if bias is None else found + bias
