"""Distances as vectors that are compared with queries, and read."""

import keras
from keras import ops

from regard.core.positions.distances import against, check_reach, clipped, picked
from regard.core.positions.part import Position
from regard.core.scopes import Grid
from regard.core.scores import widen

__all__ = ["ShawRelative"]


@keras.saving.register_keras_serializable("regard")
class ShawRelative(Position):
    r"""Scores $q_i^\top(k_j + a^K_\delta)/\sqrt{D}$; reads $v_j + a^V_\delta$.

    $\delta$ is $p_j - p_i$, clipped to $-k \ldots k$. The tables $a^K$ (2k + 1, D) and
    $a^V$ (2k + 1, Dv) are shared by the heads, as in the paper.

    Shaw, Uszkoreit, Vaswani 2018, arXiv:1803.02155, sections 3.1 and 3.2.

    Args:
        reach: k, up to which distances are told apart.
        values: also read distances; False leaves $a^V$ out.
        embeddings_initializer: of both tables.

    Raises:
        ValueError: where reach is not a positive integer.
    """

    relative = True

    def __init__(self, reach=16, values=True, embeddings_initializer="glorot_uniform"):
        self.reach, self.values = check_reach(reach), bool(values)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.count = 2 if self.values else 1

    def build(self, owner, num_heads, width, value_width=None):
        widths = {"relative_key": width}
        if self.values:
            widths["relative_value"] = value_width or width
        return tuple(
            owner.add_weight(
                (2 * self.reach + 1, size),
                name=name,
                initializer=self.embeddings_initializer.clone(),
            )
            for name, size in widths.items()
        )

    def bias(self, query, key, grid: Grid, *parameters):
        query = widen(query)
        products = against(query * query.shape[-1] ** -0.5, widen(parameters[0]))
        return picked(products, clipped(-grid.distances(), self.reach))

    def read(self, weights, grid: Grid, *parameters):
        if not self.values:
            return None
        rows = clipped(-grid.distances(), self.reach)
        table = widen(parameters[1])
        vectors = ops.take(table, rows, axis=0)  # (T, S, Dv) | (B, T, S, Dv)
        if len(vectors.shape) == 3:
            return ops.einsum("bhts,tsd->bhtd", weights, vectors)
        return ops.einsum("bhts,btsd->bhtd", weights, vectors)

    def get_config(self):
        return {
            "reach": self.reach,
            "values": self.values,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
