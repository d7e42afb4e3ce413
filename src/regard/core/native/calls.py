"""What torch does besides computing: it may write a graph, map, or differentiate."""

from typing import Any

import torch

Tensor = Any


def is_plain(tensor: Tensor) -> bool:
    """True where only autograd looks on, and backwards."""
    if is_traced(tensor) or is_transformed():
        return False
    return not torch.is_autocast_enabled(tensor.device.type)


def is_traced(tensor: Tensor) -> bool:
    """True where torch writes a graph, so that numbers cannot be looked at."""
    tracing = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return tracing or tensor.is_meta


def is_transformed() -> bool:
    """True inside ``torch.func``, and where derivatives are taken forwards.

    Functions with a gradient of their own have neither a rule for maps nor tangents.
    """
    return takes_tangents() or torch._C._are_functorch_transforms_active()


def takes_tangents() -> bool:
    """True where derivatives are taken forwards."""
    return torch.autograd.forward_ad._current_level >= 0
