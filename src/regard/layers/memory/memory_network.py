"""End-to-end memory networks."""

from itertools import pairwise

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.memory.hops import Hops
from regard.layers.weights import check_equal_widths, check_units_or_none

_TYING = ("adjacent", "layer_wise", None)


@keras.saving.register_keras_serializable("regard")
class MemoryNetwork(Hops):
    r"""$p = \mathrm{softmax}(u_k^\top A_k x_j),\quad o_k = \sum_j p_j C_k x_j,\quad
    u_{k+1} = H u_k + o_k$, over some hops.

    ``x`` the memory (B, S, Dv), such as sentences as sums of words; $u_1 = B q$ with
    queries (B, T, Dq); kernels ``B`` (Dq, units), ``A``, ``C`` (Dv, units). Output
    (B, T, units): the last u, for a dense layer to answer from; weights
    (B, hops, T, S). With a key, A reads the key and C the value.

    ``tying="adjacent"``: what one hop reads is what the next compares,
    $A_{k+1} = C_k$, and H is the identity. ``"layer_wise"``: the same A and C in every
    hop, as in a recurrent network, with a learned ``H`` (units, units). None: every hop
    has its own A and C.

    Sukhbaatar, Szlam, Weston, Fergus 2015, "End-to-end memory networks",
    arXiv:1503.08895, sections 2.1 and 2.2; ``maximum_length`` is the temporal encoding
    of section 4.1, a learned vector per place (the paper gives the newest first).

    Args:
        units: width of u.
        hops: how often the memory is read.
        tying: "adjacent", "layer_wise" or None.
        maximum_length: the longest memory, for temporal encoding; None for none.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: for an unknown tying, a key of another width than the value where
            they share kernels, a memory longer than maximum_length, or a position.
    """

    mechanism = "memory_network"

    def __init__(self, units, hops=3, tying="adjacent", maximum_length=None, **options):
        super().__init__(units, hops, **options)
        if tying not in _TYING:
            raise ValueError(f"tying must be one of {_TYING}. Got {tying!r}.")
        self.tying = tying
        self.maximum_length = check_units_or_none("maximum_length", maximum_length)

    def add_weights(self, query_width, key_width, value_width):
        self.query_kernel = self.add_kernel("query_kernel", query_width, self.units)
        if self.tying == "adjacent":
            check_equal_widths(self, key_width, value_width)
            names = [f"embedding_{i}" for i in range(self.hops + 1)]
            self.embeddings = [self._embedding(each, key_width) for each in names]
            return
        count = 1 if self.tying == "layer_wise" else self.hops
        self.embeddings = [
            self._embedding(f"{name}_{i}", width)
            for i in range(count)
            for name, width in (("key", key_width), ("value", value_width))
        ]
        if self.tying == "layer_wise":
            self.hop_kernel = self.add_kernel("hop_kernel", self.units, self.units)

    def _embedding(self, name, width):
        """A kernel, and with temporal encoding a vector per place."""
        kernel = self.add_kernel(f"{name}_kernel", width, self.units)
        if self.maximum_length is None:
            return (kernel,)
        shape = (self.maximum_length, self.units)
        places = self.add_weight(
            shape, name=f"{name}_places", initializer="random_normal"
        )
        return kernel, places

    def project_query(self, query):
        return ops.matmul(query, self.query_kernel)[:, None]

    def project_memory(self, key, value):
        if self.maximum_length and (key.shape[1] or 0) > self.maximum_length:
            raise ValueError(
                f"the memory must be at most maximum_length = {self.maximum_length} "
                f"long. Got {key.shape[1]}. Build with a larger maximum_length."
            )
        pairs = self._pairs()
        keys = [embedded(key, *first) for first, _ in pairs]
        values = [embedded(value, *second) for _, second in pairs]
        return ops.stack(keys, axis=1), ops.stack(values, axis=1)

    def _pairs(self):
        """Of every hop, what compares and what is read."""
        found = self.embeddings
        if self.tying == "adjacent":
            return list(pairwise(found))
        pairs = list(zip(found[::2], found[1::2], strict=True))
        return pairs * self.hops if self.tying == "layer_wise" else pairs

    def recipe(self):
        return Recipe(scores.dot, self.normalizer)

    def advance(self, hop, asked, found):
        if self.tying == "layer_wise":
            asked = ops.matmul(asked, self.hop_kernel)
        return asked + found

    def get_config(self):
        return {
            **super().get_config(),
            "tying": self.tying,
            "maximum_length": self.maximum_length,
        }


def embedded(inputs, kernel, places=None):
    """(B, S, D) -> (B, S, units), with the vector of each place."""
    vectors = ops.matmul(inputs, kernel)
    if places is None:
        return vectors
    return vectors + ops.convert_to_tensor(places)[: ops.shape(inputs)[1]]
