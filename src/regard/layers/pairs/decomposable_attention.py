"""Attend, compare, aggregate."""

import keras
from keras import ops

from regard.layers.pairs.pairing import Pairing
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class DecomposableAttention(Pairing):
    r"""$e_{ij} = F(a_i)^\top F(b_j)$, $\beta_i = \sum_j \mathrm{n}(e_{i\cdot})_j b_j$,
    $\alpha_j = \sum_i \mathrm{n}(e_{\cdot j})_i a_i$; $v_1 = \sum_i G([a_i; \beta_i])$,
    $v_2 = \sum_j G([b_j; \alpha_j])$.

    Every word of a sentence is set beside what it matches in the other, each pair is
    judged alone, and the judgements are summed, over real words only. F and G are one
    layer with ReLU each. Output $[v_1; v_2]$, (B, 2 units), for a classifier; weights
    of the query's words over the value's (B, T, S). Both sides need one width D, as
    they share F and G.

    Parikh et al. 2016, "A decomposable attention model for natural language inference",
    arXiv:1606.01933 (F and G with one layer instead of two).

    Args:
        units: width of F and G.
        normalizer: of both directions.
        kernel_initializer, kernel_regularizer, kernel_constraint: of F and G.

    Raises:
        ValueError: where both sides differ in width or units is not positive.
    """

    mechanism = "decomposable"

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = check_units("units", units)

    def add_weights(self, query_width, value_width):
        if query_width != value_width:
            raise ValueError(
                "query and value must have the same width, because they share their "
                f"layers. Got {query_width} and {value_width}."
            )
        self.attend_dense = self.dense_of("attend", query_width, self.units, "relu")
        self.compare_dense = self.dense_of(
            "compare", 2 * query_width, self.units, "relu"
        )

    def pair(self, query, value, query_mask, value_mask):
        left, right = self.attend_dense(query), self.attend_dense(value)
        found, weights, record = self.look(left, right, value, query_mask, value_mask)
        back, others, _ = self.look(right, left, query, value_mask, query_mask)
        record["extra"] = {"value_weights": others}
        sides = (query, found, query_mask), (value, back, value_mask)
        output = [self._aggregate(*side) for side in sides]
        return ops.concatenate(output, axis=-1), weights, record

    def _aggregate(self, inputs, found, mask):
        judged = self.compare_dense(ops.concatenate([inputs, found], axis=-1))
        if mask is not None:
            real = ops.expand_dims(mask, -1)
            judged = ops.where(real, judged, ops.zeros_like(judged))
        return ops.sum(judged, axis=1)

    def output_shape(self, query_shape, value_shape):
        return (query_shape[0], 2 * self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
