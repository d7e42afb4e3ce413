"""ProbSparse attention of the Informer."""

import keras
from keras import ops

from regard.core.approximate import prob_sparse as core
from regard.core.normalizers.part import LOWEST
from regard.core.shapes import sizes_of
from regard.layers.approximate.approximation import Approximation
from regard.layers.inputs import by_cause
from regard.layers.weights import check_units

_OTHERS = ("mean", "sum")


@keras.saving.register_keras_serializable("regard")
class ProbSparseAttention(Approximation):
    r"""Queries with the largest $M_i = \max_j s_{ij} - \frac1S\sum_j s_{ij}$ look.

    These u queries get softmax attention, every other one the mean of the values. M is
    estimated from a sample of $c\lceil\ln S\rceil$ keys, and
    $u = c\lceil\ln T\rceil$. With ``causal`` the chosen look back and the others get
    the mean of the values so far; which are chosen still depends on the whole sequence,
    so it suits decoders that write all positions at once, as the Informer's.

    Zhou et al. 2021, "Informer", arXiv:2012.07436. The authors draw the
    sample anew in every call; ours is spread evenly over the memory, so that the same
    input has the same output. Their causal code adds the values up without dividing,
    which is ``others="sum"``.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        factor: c.
        causal: look back only; query and memory must have the same length.
        others: "mean", or "sum" for the authors' causal code.
        **options: use_bias, kernel_ initializer, regularizer and constraint, and those
            of every layer.

    Raises:
        ValueError: for an unknown value of others, and with causal for lengths that
            differ.
    """

    mechanism = "prob_sparse"

    def __init__(
        self, num_heads, key_dim, factor=5, causal=False, others="mean", **options
    ):
        super().__init__(num_heads, key_dim, **options)
        self.factor = check_units("factor", factor)
        self.causal = bool(causal)
        if others not in _OTHERS:
            raise ValueError(f"others must be one of {_OTHERS}. Got {others!r}.")
        self.others = others

    def read(self, vectors, masks, asked):
        (query, key, value), (query_mask, key_mask) = vectors, masks
        length, memory = sizes_of(query)[2], sizes_of(key)[2]
        if self.causal and None not in (query.shape[2], key.shape[2]):
            check_square(query.shape[2], key.shape[2])
        sample = core.evenly(core.logarithmic(self.factor, memory), memory)
        measure = core.sparsity(query, key, sample, key_mask)
        if query_mask is not None:  # padding is chosen last
            hidden = ops.full_like(measure, LOWEST)
            measure = ops.where(query_mask[:, None], measure, hidden)
        count = core.logarithmic(self.factor, length)
        rows = ops.top_k(ops.stop_gradient(measure), count)[1]
        rows = ops.cast(rows, "int32")
        exact = core.looked(query, key, rows, self.scale, self.causal, key_mask)
        seen = core.shares(memory, self.causal, self.others, key_mask)
        context = core.prob_sparse(value, exact, rows, length, seen, self.causal)
        if not asked:
            return context, None, {}
        weights = core.table(exact, rows, length, seen, self.causal, key_mask)
        if query_mask is not None:
            asks = query_mask[:, None, :, None]
            weights = ops.where(asks, weights, ops.zeros_like(weights))
        past = {}
        if self.causal:
            past["causal"] = ops.tril(ops.ones((1, 1, length, memory))) > 0
        looking = ops.max(core.placed(rows, length), axis=-1) > 0
        more = {"extra": {"gap": measure, "looking": looking}}
        return context, weights, {**more, "masks": {**past, **by_cause(*masks)}}

    def get_config(self):
        return {
            **super().get_config(),
            "factor": self.factor,
            "causal": self.causal,
            "others": self.others,
        }


def check_square(queries, keys):
    """Looking back compares places of queries and keys."""
    if queries != keys:
        raise ValueError(
            "query and value must have the same length with causal. Got "
            f"{queries} and {keys}."
        )
