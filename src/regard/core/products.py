"""Products of many rows with a kernel, as each backend computes them best."""

import keras
from keras import ops


def product(x, kernel, bias=None):
    """$x W + b$: x (..., K), kernel (K, N) and bias (N,) or none, to (..., N)."""
    if keras.backend.backend() == "torch":
        from regard.core.native import products

        tensors = (x, kernel) if bias is None else (x, kernel, bias)
        found = products.product(*map(ops.convert_to_tensor, tensors))
        if found is not None:
            return found
    found = ops.matmul(x, kernel)
    return found if bias is None else found + bias
