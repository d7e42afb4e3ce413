"""tanh of many numbers on torch's CPU, by its sigmoid.

torch hands tanh to MKL, which on processors of other makers takes ten times as long as
torch's own sigmoid: tanh(x) = 1 - 2 sigmoid(-2x), to 2e-7 of 1. Of numbers near 0 that
leaves few digits, which a sum over units, as scores are, does not show; oneDNN's tanh
is exact there but takes twice as long, unless a product does it on the way
(``core.products.squashed``).
"""

from typing import Any

import torch

from regard.core.native.calls import is_traced

Tensor = Any
MANY = 1 << 16  # numbers from which the operations more pay


def tanh(x: Tensor) -> Tensor:
    """tanh of every number, with gradients."""
    many = x.dtype == torch.float32 and x.device.type == "cpu" and x.numel() >= MANY
    return _Tanh.apply(x) if many and not is_traced(x) else torch.tanh(x)


class _Tanh(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return (-2.0 * x).sigmoid_().mul_(-2.0).add_(1.0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx, upstream):
        return torch.ops.aten.tanh_backward(upstream, *ctx.saved_tensors)

    @staticmethod
    def jvp(ctx, tangent):
        return torch.ops.aten.tanh_backward(tangent, *ctx.saved_tensors)
