r"""Products of float32 matrices on torch's CPU by oneDNN.

    y[m, n] = sum_k x[m, k] w[n, k] + b[n]

torch hands its products to MKL, which on processors of other makers leaves half of
their vector units unused; oneDNN does not. The operation is the one that torch's own
compiler calls for linear layers; where there is none, torch multiplies as ever. So it
does for the gradient of a kernel, a sum over many rows, where oneDNN is slower.
"""

from typing import Any

import torch

from regard.core.native.calls import is_plain

Tensor = Any
WORTH, FEW = 1 << 22, 4  # multiplications and rows from which the dearer call pays


def _operation():
    try:
        return torch.ops.mkldnn._linear_pointwise.default
    except AttributeError:
        return None


_OPERATION = _operation()


def is_usable(*tensors: Tensor) -> bool:
    """True for numbers that oneDNN multiplies: float32, in this processor's memory.

    Not while torch writes a graph, which shall say that this is a product.
    """
    if _OPERATION is None or not torch.backends.mkldnn.enabled:
        return False
    return all(
        each.dtype == torch.float32 and each.device.type == "cpu" and is_plain(each)
        for each in tensors
    )


def multiplied(
    left: Tensor, right: Tensor, bias: Tensor | None = None, then: str = "none"
) -> Tensor:
    """``left (M, K)``, ``right (N, K)``, ``bias (N,)`` -> ``left right^T + bias``.

    Of which ``then``, "none" or "tanh", is taken on the way. Without a gradient.
    """
    return _OPERATION(_dense(left), _dense(right), bias, then, [], "")


def _dense(matrix):
    """Without gaps in memory, by rows or by columns; oneDNN crawls through others."""
    if matrix.is_contiguous() or matrix.t().is_contiguous():
        return matrix
    return matrix.contiguous()


def product(
    x: Tensor, kernel: Tensor, bias: Tensor | None = None, then: str = "none"
) -> Tensor | None:
    """``x (..., K)``, ``kernel (K, N)``, ``bias (N,)`` -> (..., N), with gradients.

    ``then`` as for ``multiplied``. None where torch does as well itself.
    """
    rows = x.numel() // max(1, x.shape[-1])
    if rows < FEW or rows * kernel.numel() < WORTH or kernel.ndim != 2:
        return None
    if not is_usable(x, kernel, *[] if bias is None else [bias]):
        return None
    found = _Product.apply(x.reshape(rows, -1), kernel.t(), bias, then)
    return found.reshape(*x.shape[:-1], -1)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(left, right, bias, then):
        return multiplied(left, right, bias, then)

    @staticmethod
    def setup_context(ctx, inputs, output):
        left, right, _, then = inputs
        kept = [output] if then == "tanh" else []
        ctx.save_for_backward(left, right, *kept)

    @staticmethod
    def backward(ctx, upstream):
        left, right, *squashed = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        for each in squashed:
            upstream = torch.ops.aten.tanh_backward(upstream, each)
        return (
            _Product.apply(upstream, right.t(), None, "none") if wanted[0] else None,
            upstream.t() @ left if wanted[1] else None,
            upstream.sum(0) if wanted[2] else None,
            None,
        )
