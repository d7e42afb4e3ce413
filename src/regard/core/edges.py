"""Attention along a list of edges: O(edges) instead of O(queries * keys).

Nodes of a batch lie in one row: node ``n`` of example ``b`` has number ``b * N + n``.
An edge has the number of its source (the key) and of its target (the query); edges
that are not real carry any numbers and are marked as such.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from regard.core.dense import Recipe
from regard.core.normalizers.part import LOWEST
from regard.core.shapes import rank_of, sizes_of

Tensor = Any


@dataclass(frozen=True)
class Edges:
    """Where the edges of a batch of graphs begin and end."""

    sources: Tensor  # (B * E,) numbers of keys
    targets: Tensor  # (B * E,) numbers of queries
    real: Tensor  # (B * E,) boolean
    sizes: tuple  # B, E, T, S

    @classmethod
    def of(cls, index: Tensor, queries, keys, query_mask=None, padding=None):
        """From ``index`` (B, E, 2): source and target; negative where there is none.

        Edges that touch a hidden node are not real.

        Raises:
            ValueError: where the index is not integers of that shape.
        """
        index = ops.convert_to_tensor(index)
        kind = keras.backend.standardize_dtype(index.dtype)
        if "int" not in kind or rank_of(index) != 3 or index.shape[-1] != 2:
            raise ValueError(
                "edges must be integers of shape (batch, edges, 2): source and target "
                f"of each, negative for padding. Got {kind} of shape "
                f"{tuple(index.shape)}."
            )
        batch, count, _ = sizes_of(index)
        index = ops.cast(index, "int32")
        real = ops.all(index >= 0, axis=-1)
        index = ops.maximum(index, 0)
        start = ops.expand_dims(ops.arange(batch, dtype="int32"), -1)
        sources = ops.reshape(index[..., 0] + start * keys, (-1,))
        targets = ops.reshape(index[..., 1] + start * queries, (-1,))
        real = ops.reshape(real, (-1,))
        for mask, ends in ((padding, sources), (query_mask, targets)):
            if mask is not None:
                shown = ops.take(ops.reshape(mask, (-1,)), ends, axis=0)
                real = ops.logical_and(real, shown)
        return cls(sources, targets, real, (batch, count, queries, keys))


def along_edges(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    recipe: Recipe,
    edges: Edges,
    keep: Tensor | None = None,
    added: tuple[Tensor | None, Tensor | None] = (None, None),
) -> dict[str, Tensor]:
    """What ``attend`` computes where the mask is True on the edges alone.

    Softmax only: the rows are of unequal length and nowhere formed. An edge given twice
    counts twice.

    Returns:
        "context" (B, H, T, Dv), "scores" and "weights" (B, H, E); weights of edges that
        are not real are 0. ``keep`` (B * E, H) holds dropout factors; ``added`` is what
        each edge adds to its key and to its value, (B * E, H, D).
    """
    batch, count, queries, _ = edges.sizes
    at_target = ops.take(_in_a_row(query), edges.targets, axis=0)  # (B * E, H, D)
    at_source = _plus(ops.take(_in_a_row(key), edges.sources, axis=0), added[0])
    pairs = (ops.expand_dims(each, 2) for each in (at_target, at_source))
    scores = recipe.score(*pairs, *recipe.parameters)[:, :, 0, 0]  # (B * E, H)
    weights = softmax_by(scores, edges, batch * queries)
    mixing = weights if keep is None else weights * keep
    read = _plus(ops.take(_in_a_row(value), edges.sources, axis=0), added[1])
    read = read * ops.cast(ops.expand_dims(mixing, -1), read.dtype)
    context = ops.segment_sum(read, edges.targets, num_segments=batch * queries)
    shape = (batch, queries, *sizes_of(value)[1:4:2])
    context = ops.swapaxes(ops.reshape(context, shape), 1, 2)
    heads = sizes_of(scores)[1]

    def shown(tensor):
        return ops.swapaxes(ops.reshape(tensor, (batch, count, heads)), 1, 2)

    return {"context": context, "scores": shown(scores), "weights": shown(weights)}


def softmax_by(scores: Tensor, edges: Edges, total) -> Tensor:
    """Softmax of (B * E, H) over the real edges of each target."""
    real = ops.expand_dims(edges.real, -1)
    lowered = ops.where(real, scores, ops.full_like(scores, LOWEST))
    top = ops.segment_max(ops.stop_gradient(lowered), edges.targets, num_segments=total)
    top = ops.where(top <= LOWEST, ops.zeros_like(top), top)
    top = ops.take(ops.stop_gradient(top), edges.targets, axis=0)
    shifted = ops.where(real, scores - top, ops.zeros_like(scores))
    powers = ops.where(real, ops.exp(shifted), ops.zeros_like(scores))
    sums = ops.segment_sum(powers, edges.targets, num_segments=total)
    sums = ops.where(sums == 0, ops.ones_like(sums), sums)
    return powers / ops.take(sums, edges.targets, axis=0)


def _plus(tensor, more):
    return tensor if more is None else tensor + ops.cast(more, tensor.dtype)


def _in_a_row(nodes: Tensor) -> Tensor:
    """(B, H, N, D) -> (B * N, H, D)."""
    _, heads, _, width = sizes_of(nodes)
    return ops.reshape(ops.swapaxes(nodes, 1, 2), (-1, heads, width))
