"""Additive attention that knows how much of every key was read already."""

import keras
from keras import ops

from regard.core.alignments.history import start_at
from regard.core.scores import widen
from regard.layers.alignments.additive_alignment import AdditiveAlignment


@keras.saving.register_keras_serializable("regard")
class CoverageAttention(AdditiveAlignment):
    r"""$s_{ij} = v^\top \tanh(W q_i + U k_j + w_c\, c_{ij} + b)$ with coverage $c$.

    $c_{ij} = \sum_{i' < i} a_{i'j}$, so that what was read often can be left aside.

    ``W`` (Dq, units), ``U`` (Dk, units), ``w_c``, ``v`` and ``b`` (units,). State:
    ``coverage`` (B, 1, S), zeros at the start. Output (B, T, Dv). Trained together
    with ``regard.losses.CoverageLoss``, which keeps the overlap small.

    See, Liu, Manning 2017, "Get to the point: summarization with pointer-generator
    networks", arXiv:1704.04368, section 2.3. After Tu et al. 2016, arXiv:1601.04811,
    whose coverage may also be a recurrent network. Ours masks before it
    normalizes.

    Args:
        units: width of the space in which queries and keys are compared.
        start: "zero", or "uniform": the coverage begins with a mean over the real keys.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where units or start is not one of these, or a position is given.
    """

    mechanism = "coverage"

    def __init__(self, units, start="zero", **options):
        super().__init__(units, **options)
        if start not in ("zero", "uniform"):
            raise ValueError(f'start must be "zero" or "uniform". Got {start!r}.')
        self.start = start

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        self.coverage_kernel = self.add_kernel("coverage_kernel", (1, self.units))

    def begin(self, memory):
        return {"coverage": start_at(memory["mask"], self.start)}

    def align(self, look, state):
        coverage = state["coverage"]
        features = ops.expand_dims(coverage, -1) * widen(self.coverage_kernel)
        scores = self.score(look, features)
        weights = self.normalized(scores, look)
        after = {"coverage": coverage + weights[:, :, 0]}
        extra = {"scores": scores, "coverage": ops.expand_dims(coverage, 2)}
        return weights, after, extra

    def get_config(self):
        return {**super().get_config(), "start": self.start}
