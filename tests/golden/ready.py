"""Heads that a package has projected already, through our multi-head layer."""

from keras import ops

from regard.layers import MultiHeadAttention
from tests.golden.tools import Applied


class ReadyHeads:
    """MultiHeadAttention whose projections only take heads apart and join them.

    Tensors go in and come out as (B, T, H·D). ``scale`` is what the package multiplies
    products by, None for the root; ``kind`` another layer with heads, whose own weights
    come first.
    """

    def __init__(self, heads, width, scale=None, kind=MultiHeadAttention, **options):
        self.heads, self.width, self.scale = heads, width, scale
        options = {"use_bias": False, **options}
        self.applied = Applied(kind(heads, width, **options))

    def __call__(self, query, key, value, position=(), **options):
        """Joined contexts, and weights (B, H, T, S)."""
        if self.scale is not None:
            query = query * (self.scale * self.width**0.5)
        both = self.heads * self.width
        one = ops.reshape(ops.eye(both), (both, self.heads, self.width))
        back = ops.reshape(ops.eye(both), (self.heads, self.width, both))
        return self.applied(
            [*position, one, one, one, back],
            query,
            value,
            key,
            return_attention_scores=True,
            **options,
        )


def joined(tensor):
    """(B, H, T, D) -> (B, T, H·D)."""
    batch, heads, length, width = tensor.shape
    return ops.reshape(ops.swapaxes(tensor, 1, 2), (batch, length, heads * width))


def apart(tensor, heads):
    """(B, T, H·D) -> (B, H, T, D)."""
    batch, length, width = tensor.shape
    shape = (batch, length, heads, width // heads)
    return ops.swapaxes(ops.reshape(tensor, shape), 1, 2)
