"""How many edges lie between two nodes of a graph."""

from typing import Any

from keras import ops

Tensor = Any


def hop_distances(adjacency: Tensor, longest: int = 20) -> Tensor:
    """Edges on the shortest path from row to column, -1 where there is none.

    Args:
        adjacency: boolean (B, N, N), True where an edge leads from row to column.
        longest: paths with more edges count as none.

    Returns:
        (B, N, N), int32; 0 on the diagonal.
    """
    edges = ops.cast(adjacency, "float32")
    length = ops.shape(edges)[-1]
    reached = ops.eye(length) + ops.zeros_like(edges)
    distances = ops.cast(reached, "int32") - 1  # 0 at home, -1 elsewhere
    for hops in range(1, longest + 1):
        spread = ops.minimum(reached + ops.matmul(reached, edges), 1.0)
        new = (spread > 0) & (reached == 0)
        distances = ops.where(new, ops.full_like(distances, hops), distances)
        reached = spread
    return distances
