"""PyTorch: products of matrices by oneDNN, whose kernels fit any processor.

MKL, which torch asks by default, keeps its widest kernels for Intel's processors: on
others oneDNN takes less than half the time. Small products cost more to hand over.
"""

import torch

from regard.core.native.torch import is_traced

_FEW_ROWS = 4
_SMALL = 1 << 22  # multiplications
_BY_ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def product(x, kernel, bias=None):
    """(..., K) times (K, N), and (N,) added; None where torch does as well itself."""
    rows = x.numel() // max(1, x.shape[-1])
    if rows < _FEW_ROWS or rows * kernel.numel() < _SMALL or _BY_ONEDNN is None:
        return None
    given = (x, kernel) if bias is None else (x, kernel, bias)
    if kernel.ndim != 2 or not all(map(_is_plain, given)):
        return None
    return _BY_ONEDNN(x, kernel.T, bias, "none", [], "")


def _is_plain(tensor):
    """Float32 numbers in the processor's memory of which no gradient is wanted."""
    kept = torch.is_grad_enabled() and tensor.requires_grad
    kind = (tensor.dtype, tensor.device.type)
    return not kept and kind == (torch.float32, "cpu") and not is_traced(tensor)
