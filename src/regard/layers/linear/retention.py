"""Retention: linear attention that forgets at a fixed rate."""

import keras
from keras import ops

from regard.core.scans import gated_scan
from regard.core.shapes import sizes_of
from regard.layers.linear.recurrence import RecurrentAttention


@keras.saving.register_keras_serializable("regard")
class Retention(RecurrentAttention):
    r"""$S_t = \gamma S_{t-1} + k_t v_t^\top,\quad o_t = S_t^\top q_t/\sqrt{d}$.

    Equally $o_i = \sum_{j\le i}\gamma^{i-j}\,(q_i^\top k_j/\sqrt d)\,v_j$: weights are
    not normalized and may be negative. Each head has its own fixed
    $\gamma_h = 1 - 2^{-5-h}$.

    Sun et al. 2023, "Retentive network", arXiv:2307.08621, sections 2.1 and 2.2. As
    there, the default normalizes the output per head and gates it by silu; the paper's
    rotation of queries and keys is ``position=regard.positions.RoPE()``. Lightning
    attention (arXiv:2401.04658) is retention with ``activation="silu"`` and other
    decays.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        decays: gamma of every head, in (0, 1]; None for the paper's.
        activation: of queries, keys and values; None as in the paper.
        **options: of every recurrence (see ``RecurrentAttention``) and layer.

    Raises:
        ValueError: for decays that are not one per head in (0, 1].
    """

    mechanism = "retention"

    def __init__(self, num_heads, key_dim, decays=None, activation=None, **options):
        options = {"output_norm": "head", "output_gate": "silu", **options}
        super().__init__(num_heads, key_dim, **options)
        self.decays = None if decays is None else [float(each) for each in decays]
        if decays is not None and (
            len(self.decays) != self.num_heads
            or not all(0 < each <= 1 for each in self.decays)
        ):
            raise ValueError(
                f"decays must be {self.num_heads} numbers in (0, 1], one per head. Got "
                f"{decays!r}."
            )
        self.activation = keras.activations.get(activation)

    def prepared(self, parts):
        return {name: self.activation(each) for name, each in parts.items()}

    def gates(self, inputs):
        found = self.decays or [1 - 2.0 ** (-5 - h) for h in range(self.num_heads)]
        gamma = ops.convert_to_tensor(found, dtype="float32")
        batch, length, _ = sizes_of(inputs)
        log = ops.reshape(ops.log(gamma), (1, self.num_heads, 1, 1))
        return {"log_decay": ops.broadcast_to(log, (batch, self.num_heads, length, 1))}

    def recur(self, parts, memory):
        return gated_scan(**parts, state=memory, chunk=self.chunk_size)

    def get_config(self):
        return {
            **super().get_config(),
            "decays": self.decays,
            "activation": keras.activations.serialize(self.activation),
        }
