"""The delta rule: a memory that is corrected instead of added to."""

import keras
from keras import ops

from regard.core.scans import delta_scan
from regard.core.scores import unit, widen
from regard.layers.linear.projections import to_heads
from regard.layers.linear.recurrence import RecurrentAttention


@keras.saving.register_keras_serializable("regard")
class DeltaAttention(RecurrentAttention):
    r"""$S_t = S_{t-1} + \beta_t k_t (v_t - S_{t-1}^\top k_t)^\top,\quad
    o_t = S_t^\top q_t/\sqrt d$.

    What the memory holds under a key moves towards the new value by
    $\beta_t = \sigma(w^\top x_t)$: one step of gradient descent on
    $\tfrac12\lVert S^\top k_t - v_t\rVert^2$. Queries and keys pass an activation and
    are divided by their length, without which the memory can explode.

    Schlag et al. 2021, "Linear Transformers are secretly fast weight programmers",
    arXiv:2102.11174, section 4.2; with unit keys and silu as in Yang et al. 2024,
    "Parallelizing linear Transformers with the delta rule", arXiv:2406.06484, section
    3.2. That layer convolves queries, keys and values over 4 positions before;
    ours does not.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        activation: of queries, keys and values.
        negative: let beta reach 2 instead of 1, so that a write may turn what stands
            there into its opposite.
        **options: of every recurrence (see ``RecurrentAttention``) and layer.
    """

    mechanism = "delta"

    def __init__(
        self, num_heads, key_dim, activation="silu", negative=False, **options
    ):
        options = {"output_norm": "head", **options}
        super().__init__(num_heads, key_dim, **options)
        self.activation = keras.activations.get(activation)
        self.negative = bool(negative)

    def add_gates(self, width):
        self.strength_dense = to_heads(self, "strength", width, (self.num_heads,))

    def prepared(self, parts):
        parts = {name: self.activation(each) for name, each in parts.items()}
        return {**parts, "query": unit(parts["query"]), "key": unit(parts["key"])}

    def gates(self, inputs):
        logits = ops.swapaxes(widen(self.strength_dense(inputs)), 1, 2)
        strength = ops.sigmoid(logits) * (2.0 if self.negative else 1.0)
        return {"strength": ops.expand_dims(strength, -1)}

    def recur(self, parts, memory):
        return delta_scan(**parts, state=memory, chunk=self.chunk_size)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "negative": self.negative,
        }
