"""Key-value memory networks."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.memory.hops import Hops
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class KeyValueMemory(Hops):
    r"""$p = \mathrm{softmax}(q_j^\top A k_i),\quad o = \sum_i p_i A v_i,\quad
    q_{j+1} = R_j (q_j + o)$, over some hops.

    Keys say when an entry matters, values what it says. ``q_1 = A q`` with queries
    (B, T, Dq), keys (B, S, Dk), values (B, S, Dv); kernels ``A`` (·, units) for each of
    the three, or with ``shared`` one for all, as in the paper; ``R_j`` (units, units).
    Output (B, T, units): the last q, to be compared with embedded answers; weights
    (B, hops, T, S).

    Miller, Fisch, Dodge, Karimi, Bordes, Weston 2016, "Key-value memory networks for
    directly reading documents", arXiv:1606.03126. Choosing candidates by
    shared words (key hashing) is left to the caller.

    Args:
        units: width of q.
        hops: how often the memory is read.
        shared: one kernel for queries, keys and values, which then have one width.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: for a size that is not a positive integer, unequal widths with
            ``shared``, or a position.
    """

    mechanism = "key_value_memory"

    def __init__(self, units, hops=2, shared=False, **options):
        super().__init__(units, hops, **options)
        self.shared = bool(shared)

    def add_weights(self, query_width, key_width, value_width):
        if self.shared:
            check_equal_widths(self, query_width, key_width)
            check_equal_widths(self, query_width, value_width)
            self.query_kernel = self.add_kernel("kernel", query_width, self.units)
            self.key_kernel = self.value_kernel = self.query_kernel
        else:
            self.query_kernel = self.add_kernel("query_kernel", query_width, self.units)
            self.key_kernel = self.add_kernel("key_kernel", key_width, self.units)
            self.value_kernel = self.add_kernel("value_kernel", value_width, self.units)
        self.hop_kernels = [
            self.add_kernel(f"hop_{hop}_kernel", self.units, self.units)
            for hop in range(self.hops)
        ]

    def project_query(self, query):
        return ops.matmul(query, self.query_kernel)[:, None]

    def project_memory(self, key, value):
        keys = ops.matmul(key, self.key_kernel)[:, None]
        return keys, ops.matmul(value, self.value_kernel)[:, None]

    def recipe(self):
        return Recipe(scores.dot, self.normalizer)

    def advance(self, hop, asked, found):
        return ops.matmul(asked + found, self.hop_kernels[hop])

    def get_config(self):
        return {**super().get_config(), "shared": self.shared}
