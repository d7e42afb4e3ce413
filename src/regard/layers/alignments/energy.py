"""A score with weights of its own, for layers that compare queries and keys twice."""

import keras
from keras import ops

from regard.core import scores

KINDS = ("additive", "general")


class Energy:
    """Additive or general scores inside a layer.

    ``additive``: v^T tanh(W q + U k + b), with ``normalize`` g v / |v| for v;
    ``general``: q^T (U k), with ``normalize`` times g. Weights belong to the owner.
    """

    def __init__(self, kind, units, normalize, prefix=""):
        self.kind, self.units = kind, units
        self.normalize, self.prefix = normalize, prefix

    def build(self, owner, query_width, key_width):
        """Create the weights and say how wide projections are."""
        name = f"{self.prefix}{{}}".format
        kernel = owner.weight_options.for_kernel
        self.gain = self.bias = None
        self.width = self.units if self.kind == "additive" else query_width
        if self.kind == "additive":
            self.query_kernel = owner.add_weight(
                (query_width, self.units), name=name("query_kernel"), **kernel()
            )
        self.key_kernel = owner.add_weight(
            (key_width, self.width), name=name("key_kernel"), **kernel()
        )
        start = 1.0
        if self.kind == "additive":
            self.vector = owner.add_weight(
                (self.units,), name=name("score_vector"), **kernel()
            )
            start = self.units**-0.5
        if self.normalize:
            start = keras.initializers.Constant(start)
            self.gain = owner.add_weight((), name=name("score_gain"), initializer=start)
        if self.kind == "additive":
            self.bias = owner.add_weight(
                (self.units,), name=name("bias"), initializer="zeros"
            )

    def project_query(self, query):
        if self.kind == "general":
            return query
        return ops.matmul(query, self.query_kernel) + self.bias

    def project_key(self, key):
        return ops.matmul(key, self.key_kernel)

    def __call__(self, query, key):
        """(B, 1, 1, A), (B, 1, S, A) -> (B, 1, 1, S)."""
        gain = 1.0 if self.gain is None else scores.widen(self.gain)
        if self.kind == "general":
            return scores.dot(query, key) * gain
        vector = ops.convert_to_tensor(self.vector)
        if self.normalize:
            vector = gain * scores.unit(vector)
        return scores.additive(query, key, vector)
