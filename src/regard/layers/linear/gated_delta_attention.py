"""The gated delta rule: forget first, then correct."""

import keras
import numpy as np
from keras import ops

from regard.core.scans import delta_scan
from regard.core.scores import unit, widen
from regard.layers.linear.gated_linear_attention import DecayGate
from regard.layers.linear.projections import to_heads
from regard.layers.linear.recurrence import RecurrentAttention
from regard.layers.weights import check_units_or_none

_PER = ("head", "channel")


@keras.saving.register_keras_serializable("regard")
class GatedDeltaAttention(RecurrentAttention):
    r"""$S_t = A_t S_{t-1} + \beta_t k_t (v_t - (A_t S_{t-1})^\top k_t)^\top,\quad
    o_t = S_t^\top q_t/\sqrt d$.

    $\beta_t = \sigma(w^\top x_t)$ and $A_t = e^{-e^a\,\mathrm{softplus}(W x_t + b)}$
    with a learned rate $e^a$ per head: one factor per head (Gated DeltaNet) or one per
    channel of the keys (Kimi delta attention). The gate acts before the write. Queries
    and keys pass an activation and are divided by their length.

    Yang et al. 2024, "Gated delta networks", arXiv:2412.06464, section 3.1;
    per channel: Kimi Team 2025, "Kimi linear", arXiv:2510.26692, section 3. Those
    layers convolve queries, keys and values over 4 positions before; ours does not.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        gate_per: "head" or "channel".
        gate_rank: width between the two matrices of W per channel; None for one.
        activation: of queries, keys and values.
        **options: of every recurrence (see ``RecurrentAttention``) and layer.

    Raises:
        ValueError: for an unknown gate_per, or a gate_rank where it is per head.
    """

    mechanism = "gated_delta"

    def __init__(
        self,
        num_heads,
        key_dim,
        gate_per="head",
        gate_rank=None,
        activation="silu",
        **options,
    ):
        options = {"output_norm": "head", "output_gate": "silu", **options}
        super().__init__(num_heads, key_dim, **options)
        if gate_per not in _PER:
            raise ValueError(f"gate_per must be one of {_PER}. Got {gate_per!r}.")
        if gate_rank and gate_per == "head":
            raise ValueError(
                "gate_rank must be None with gate_per='head', where a gate is one "
                f"number. Got {gate_rank!r}."
            )
        self.gate_per = gate_per
        self.gate_rank = check_units_or_none("gate_rank", gate_rank)
        self.activation = keras.activations.get(activation)

    def add_gates(self, width):
        self.strength_dense = to_heads(self, "strength", width, (self.num_heads,))
        self.decay_gate = DecayGate(self, width, self.gate_per, self.gate_rank)
        # From fast to slow: rates from 1 to 16, as Mamba-2 starts them.
        rates = np.log(np.linspace(1.0, 16.0, self.num_heads))
        self.log_rate = self.add_weight(
            (self.num_heads,),
            name="log_rate",
            initializer=lambda shape, dtype: ops.convert_to_tensor(rates, dtype),
        )

    def prepared(self, parts):
        parts = {name: self.activation(each) for name, each in parts.items()}
        return {**parts, "query": unit(parts["query"]), "key": unit(parts["key"])}

    def gates(self, inputs):
        logits = ops.swapaxes(widen(self.strength_dense(inputs)), 1, 2)
        rate = ops.exp(widen(ops.convert_to_tensor(self.log_rate)))
        speed = ops.softplus(self.decay_gate(inputs))
        return {
            "strength": ops.expand_dims(ops.sigmoid(logits), -1),
            "log_decay": -ops.reshape(rate, (1, -1, 1, 1)) * speed,
        }

    def recur(self, parts, memory):
        return delta_scan(**parts, state=memory, chunk=self.chunk_size)

    def get_config(self):
        return {
            **super().get_config(),
            "gate_per": self.gate_per,
            "gate_rank": self.gate_rank,
            "activation": keras.activations.serialize(self.activation),
        }
