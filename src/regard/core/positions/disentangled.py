"""Contents and places compared crosswise."""

import math

import keras
from keras import ops

from regard.core.heads import spread
from regard.core.positions.distances import against, picked
from regard.core.positions.part import Position
from regard.core.scopes import Grid, check_integer
from regard.core.scores import widen

__all__ = ["DisentangledRelative", "log_bucket"]

_TERMS = ("c2p", "p2c")
_ORDERS = ("code", "paper")


@keras.saving.register_keras_serializable("regard")
class DisentangledRelative(Position):
    r"""$s_{ij} = \big(q_i^\top k_j + q_i^\top k^r_{\delta(i,j)} + k_j^\top
    q^r_{\delta'}\big) / \sqrt{3 D}$.

    $\delta(i, j)$ is $p_i - p_j + k$, clipped to $0 \ldots 2k - 1$; $k^r$ and $q^r$ are
    the projected embeddings of distances, tables (2k, H, D). In the paper $\delta'$ is
    $\delta(j, i)$, in its authors' code, which made all checkpoints, $\delta(i, j)$:
    the same function with one table turned around. With fewer terms the factor 3 is
    their number and one.

    He et al. 2020, "DeBERTa", arXiv:2006.03654, section 3.1; the buckets are those of
    its second version's code.

    Args:
        reach: k, half the rows of a table.
        max_distance: with it, distances up to k / 2 have rows of their own and the
            others up to max_distance share rows that grow; None gives every distance
            below k its row.
        terms: ("c2p", "p2c") or one of them: content to position, position to content.
        order: "code" or "paper", see above.
        embeddings_initializer: of the tables.

    Raises:
        ValueError: for an unknown term or order, or where keys are not as wide as
            queries.
    """

    relative = True

    def __init__(
        self,
        reach=512,
        max_distance=None,
        terms=_TERMS,
        order="code",
        embeddings_initializer="glorot_uniform",
    ):
        self.reach = check_integer("reach", reach, minimum=2)
        self.max_distance = max_distance
        if max_distance is not None:
            check_integer("max_distance", max_distance, minimum=self.reach // 2 + 2)
        self.terms = tuple(term for term in _TERMS if term in terms)
        if not self.terms or set(terms) - set(_TERMS):
            raise ValueError(f"terms must be some of {_TERMS}. Got {terms!r}.")
        if order not in _ORDERS:
            raise ValueError(f"order must be one of {_ORDERS}. Got {order!r}.")
        self.order = order
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.count = len(self.terms)

    def build(self, owner, num_heads, width, value_width=None):
        names = {"c2p": "relative_key", "p2c": "relative_query"}
        return tuple(
            owner.add_weight(
                (2 * self.reach, num_heads, width),
                name=names[term],
                initializer=self.embeddings_initializer.clone(),
            )
            for term in self.terms
        )

    def place_queries(self, query, positions, *parameters):
        """The content shares its scale with the other terms."""
        return query * (1 + len(self.terms)) ** -0.5

    def bias(self, query, key, grid: Grid, *parameters):
        tables = dict(zip(self.terms, map(widen, parameters), strict=True))
        query, width = widen(query), query.shape[-1]
        key = spread(widen(key), query.shape[1])
        distances, total = grid.distances(), 0.0
        if "c2p" in tables:
            products = against(query * width**-0.5, tables["c2p"])
            total = picked(products, self._rows(distances))
        if "p2c" not in tables:
            return total
        if key.shape[-1] != width:
            raise ValueError(
                "DisentangledRelative compares places with keys as with queries, so "
                f"both need one width. Got {width} and {key.shape[-1]}."
            )
        products = against(key * (width * (1 + len(self.terms))) ** -0.5, tables["p2c"])
        asked = distances if self.order == "code" else -distances
        rows = ops.swapaxes(self._rows(asked), -1, -2)
        return total + ops.swapaxes(picked(products, rows), -1, -2)

    def _rows(self, distances):
        """The row of a table for every distance."""
        if self.max_distance is not None:
            far = [log_bucket(d, self.reach, self.max_distance) for d in self._all()]
            near = ops.take(
                ops.convert_to_tensor(far, dtype="int32"),
                ops.minimum(ops.abs(distances), self.max_distance),
                axis=0,
            )
            distances = ops.where(distances < 0, -near, near)
        return ops.clip(distances + self.reach, 0, 2 * self.reach - 1)

    def _all(self):
        return range(self.max_distance + 1)

    def get_config(self):
        return {
            "reach": self.reach,
            "max_distance": self.max_distance,
            "terms": list(self.terms),
            "order": self.order,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }


def log_bucket(distance: int, reach: int, max_distance: int) -> int:
    """Itself up to reach / 2, then a count that grows with the logarithm to reach."""
    near = reach // 2
    if distance <= near:
        return distance
    growth = math.log(distance / near) / math.log((max_distance - 1) / near)
    # A whole number is one, whatever the logarithms were rounded to.
    return near + math.ceil(growth * (near - 1) - 1e-9)
