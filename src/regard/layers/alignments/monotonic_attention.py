"""Monotonic attention: reads forward only, and can do so online."""

import keras

from regard.layers.alignments.monotonic_alignment import MonotonicAlignment


@keras.saving.register_keras_serializable("regard")
class MonotonicAttention(MonotonicAlignment):
    r"""$p_{ij} = \sigma(e_{ij} + r)$; the weights are where a forward reader stops.

    $\alpha_{ij} = p_{ij} \big((1 - p_{i,j-1}) \frac{\alpha_{i,j-1}}{p_{i,j-1}} +
    \alpha_{i-1,j}\big)$, computed without the quotient. A row sums to at most one: the
    rest belongs to readers who passed the end.

    Additive energy $e = g\,\frac{v^\top}{\lVert v \rVert} \tanh(W q + U k + b)$ with
    ``W`` (Dq, units), ``U`` (Dk, units), ``v`` and ``b`` (units,), scalars ``g`` and
    ``r``; general energy $e = g\, q^\top U k$ with ``U`` (Dk, Dq). State: ``alignment``
    (B, 1, S), at first all on the first real key. Output (B, T, Dv).

    Raffel, Luong, Liu, Weiss, Eck 2017, "Online and linear-time attention by enforcing
    monotonic alignments", arXiv:1704.00784. All keys of a step are
    computed at once in float32, and no mass is lost far from the start.

    Args:
        units: width of the space of the additive energy; None for the general one.
        score: "additive" or "general".
        mode: "parallel", the expectation; "recursive", the same key after key; "hard",
            $p$ is 1 where the energy is positive. Train with one of the former, and
            read online with the same weights in a layer of mode "hard".
        normalize: the gain ``g`` (and v of length one).
        score_bias: where ``r`` starts; below 0 the reader walks on at first.
        noise: standard deviation of what is added to energies in training, so that
            they become decisive; 1 in the paper.
        preserve_mass: the last real key gets what a row misses.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention but the normalizer (scope, dropout, seed).

    Raises:
        ValueError: where an argument is not one of these, or a normalizer or a position
            is given.
    """

    mechanism = "monotonic"

    def align(self, look, state):
        return self.aligned(look, state)
