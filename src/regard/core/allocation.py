r"""Where a memory is free, and in what order it was written.

Graves, Wayne, Reynolds et al. 2016, "Hybrid computing using a neural network with
dynamic external memory", Nature 538, Methods. Usage, precedence (B, N); links
(B, N, N); weights of the write head (B, N), of R read heads (B, R, N).
"""

from typing import Any

from jaxtyping import Float
from keras import ops

Tensor = Any
Row = Float[Tensor, "b n"]
Rows = Float[Tensor, "b r n"]
Links = Float[Tensor, "b n n"]


def used(usage: Row, wrote: Row, reads: Rows, free: Float[Tensor, "b r 1"]) -> Row:
    r"""$u_t = (u + w - u \odot w) \odot \prod_r (1 - f_r w^r)$.

    What was written is in use until a read head says it is free.
    """
    kept = ops.prod(1 - free * reads, axis=1)
    return (usage + wrote - usage * wrote) * kept


def allocation(usage: Row) -> Row:
    r"""$a_i = (1 - u_i) \prod_{j \prec i} u_j$, the freest slots first.

    Slots are ordered by usage, equal ones by their number. Comparing all pairs costs
    N * N as the links do, and has a gradient also where a usage is 0, which the running
    product over sorted slots lacks.
    """
    this, other = ops.expand_dims(usage, 2), ops.expand_dims(usage, 1)
    places = ops.arange(usage.shape[-1], dtype="int32")
    earlier = ops.expand_dims(places, 0) < ops.expand_dims(places, 1)
    first = ops.logical_or(other < this, ops.logical_and(other == this, earlier))
    factors = ops.where(first, other, ops.ones_like(other))
    return (1 - usage) * ops.prod(factors, axis=-1)


def linked(links: Links, precedence: Row, wrote: Row) -> Links:
    r"""$L_{ij} \gets (1 - w_i - w_j) L_{ij} + w_i p_j$, the diagonal 0.

    ``L[i, j]`` is how much slot i was written right after slot j.
    """
    after, before = ops.expand_dims(wrote, 2), ops.expand_dims(wrote, 1)
    moved = (1 - after - before) * links + after * ops.expand_dims(precedence, 1)
    return moved * (1 - ops.eye(wrote.shape[-1], dtype=moved.dtype))


def preceding(precedence: Row, wrote: Row) -> Row:
    r"""$p_t = (1 - \sum_i w_i)\, p + w$: how much each slot was the last written."""
    return (1 - ops.sum(wrote, axis=-1, keepdims=True)) * precedence + wrote


def followed(links: Links, reads: Rows) -> tuple[Rows, Rows]:
    """Where reading goes on from here: (backward, forward) in the order of writing."""
    return ops.matmul(reads, links), ops.matmul(reads, ops.swapaxes(links, 1, 2))
