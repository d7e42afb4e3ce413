"""Products of many rows with a kernel, as each backend computes them best."""

import math

import keras
from keras import ops


def product(x, kernel, bias=None):
    """$x W + b$: x (..., K), kernel (K, N) and bias (N,) or none, to (..., N)."""
    found = _on_torch(x, kernel, bias)
    if found is not None:
        return found
    found = ops.matmul(x, kernel)
    return found if bias is None else found + bias


def projected(x, kernel, bias=None):
    """x (B, T, *I), kernel (*I, *O), bias (*O) or none -> (B, T, *O).

    None where Keras' own way is as good.
    """
    inner, outer = x.shape[2:], kernel.shape[len(x.shape) - 2 :]
    found = _on_torch(x, kernel, bias, math.prod(inner))
    return None if found is None else found.reshape(*x.shape[:2], *outer)


def _on_torch(x, kernel, bias, inner=None):
    """The product in a loop, or by oneDNN, or None; ``inner``: the axes of I in one."""
    if keras.backend.backend() != "torch":
        return None
    from regard.core.native import gathered, onednn

    x, kernel = ops.convert_to_tensor(x), ops.convert_to_tensor(kernel)
    bias = None if bias is None else ops.convert_to_tensor(bias)
    if inner is not None:
        x, kernel = x.reshape(*x.shape[:2], inner), kernel.reshape(inner, -1)
        bias = None if bias is None else bias.reshape(-1)
    else:
        found = gathered.product(x, kernel, bias)
        if found is not None:
            return found
    return onednn.product(x, kernel, bias)
