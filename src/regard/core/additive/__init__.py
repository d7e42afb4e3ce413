r"""Sums of tanh over all pairs, which never hold a pair's units in memory.

With $r = 1/(1 + e^{2q} e^{2k})$ the power of a sum is a product of powers, each taken
once for a query or a key, and what is left for a pair is cheap:

    tanh(q + k) = 1 - 2r
    s_ij        = sum_d v_d - 2 sum_d v_d r_ijd
    dq_id       = 4 v_d sum_j g_ij r(1-r),   dk_jd likewise over i
    dv_d        = sum_ij g_ij (1 - 2r)       where g is the gradient of s

The gradient computes r again. ``ranges`` keeps the powers from overflowing, ``tiles``
walks over pieces that stay in the cache as XLA compiles them, for JAX and TensorFlow,
and ``torch`` does so with operations in place. Few pairs take the formula as it stands,
``plain``, where only the gradient is worth compiling a walk. A single query shares no
powers; ``single_jax`` and ``single_tensorflow`` have a better gradient than the plain
formula.
"""

import math
from importlib import import_module
from typing import Any

import keras
from keras import ops

from regard.core.additive import plain
from regard.core.shapes import is_static, sizes_of

__all__ = ["pays", "plain", "tanh_sums"]

Tensor = Any
_KERNELS, _SINGLE = ("jax", "tensorflow", "torch"), ("jax", "tensorflow")


def pays(query: Tensor, key: Tensor) -> bool:
    """True where ``tanh_sums`` is better than the plain formula."""
    (*lead, length, width), memory = query.shape, key.shape[-2]
    name = keras.backend.backend()
    if is_static(length) and length == 1:
        return name in _SINGLE
    if name not in _KERNELS or not is_static(length, memory):
        return False
    planes = math.prod(lead) if is_static(*lead) else None
    return _kernel(length).pays(planes, length * memory * width)


def tanh_sums(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    r"""$s_{ij} = \sum_d v_d \tanh(q_{id} + k_{jd})$ with a gradient of its own.

    ``query`` (B, H, T, D), ``key`` (B, H, S, D), whose first two axes may also be one,
    ``vector`` (D,), all of one dtype. Returns (B, H, T, S).
    """
    lead = tuple(
        second if isinstance(first, int) and first == 1 else first
        for first, second in zip(sizes_of(query)[:2], sizes_of(key)[:2], strict=True)
    )
    sizes = sizes_of(query)[2], sizes_of(key)[2], vector.shape[0]
    query, key = (
        ops.reshape(
            ops.broadcast_to(each, (*lead, size, sizes[2])), (-1, size, sizes[2])
        )
        for each, size in zip((query, key), sizes[:2], strict=True)
    )
    scores = _kernel(sizes[0]).kernel(query, key, vector)
    return ops.reshape(scores, (*lead, *sizes[:2]))


def _kernel(length):
    """The backend's module, or that of a single query."""
    name = keras.backend.backend()
    name = f"single_{name}" if length == 1 and name in _SINGLE else name
    return import_module(f"regard.core.additive.{name}")
