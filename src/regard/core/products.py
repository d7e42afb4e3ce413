"""Products of many rows with a kernel, as each backend computes them best."""

import math

import keras
from keras import ops


def product(x, kernel, bias=None):
    """$x W + b$: x (..., K), kernel (K, N) and bias (N,) or none, to (..., N)."""
    found = _on_torch(x, kernel, bias)
    return _plain(x, kernel, bias) if found is None else found


def squashed(x, kernel, bias=None):
    r"""$\tanh(x W + b)$, shapes as in ``product``; exact to rounding near 0 too."""
    found = _on_torch(x, kernel, bias, then="tanh")
    return ops.tanh(_plain(x, kernel, bias)) if found is None else found


def projected(x, kernel, bias=None):
    """x (B, T, *I), kernel (*I, *O), bias (*O) or none -> (B, T, *O).

    None where Keras' own way is as good.
    """
    inner, outer = x.shape[2:], kernel.shape[len(x.shape) - 2 :]
    found = _on_torch(x, kernel, bias, math.prod(inner))
    return None if found is None else found.reshape(*x.shape[:2], *outer)


def _plain(x, kernel, bias):
    found = ops.matmul(x, kernel)
    return found if bias is None else found + bias


def _on_torch(x, kernel, bias, inner=None, then="none"):
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
            return ops.tanh(found) if then == "tanh" else found
    return onednn.product(x, kernel, bias, then)
