"""Gated linear attention: what is forgotten depends on what is read."""

import keras
from keras import ops

from regard.core.scans import gated_scan
from regard.core.scores import widen
from regard.layers.linear.projections import to_heads
from regard.layers.linear.recurrence import RecurrentAttention
from regard.layers.weights import check_units_or_none

_PER = ("channel", "head")


@keras.saving.register_keras_serializable("regard")
class GatedLinearAttention(RecurrentAttention):
    r"""$S_t = \mathrm{diag}(\alpha_t)\,S_{t-1} + k_t v_t^\top,\quad
    o_t = S_t^\top q_t/\sqrt d$.

    $\alpha_t = \sigma(W_\alpha x_t + b_\alpha)^{1/\tau}$ in (0, 1): one factor per
    channel of the keys, from a projection of low rank, or one per head.

    Yang et al. 2023, "Gated linear attention Transformers with hardware-efficient
    training", arXiv:2312.06635, sections 4.1 and 4.4: tau 16, rank 16, silu gate on the
    normalized output, which are the defaults. ``gate_per="head"`` is simple gated
    linear attention, the recurrence of Mamba-2 (arXiv:2405.21060).

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        gate_per: "channel" or "head".
        gate_rank: width between the two matrices of W where gates are per channel;
            None for one matrix. Gates per head have one whatever it is.
        temperature: tau; larger forgets slower.
        **options: of every recurrence (see ``RecurrentAttention``) and layer.

    Raises:
        ValueError: for an unknown gate_per or a temperature that is not positive.
    """

    mechanism = "gated_linear"

    def __init__(
        self,
        num_heads,
        key_dim,
        gate_per="channel",
        gate_rank=16,
        temperature=16.0,
        **options,
    ):
        options = {"output_norm": "head", "output_gate": "silu", **options}
        super().__init__(num_heads, key_dim, **options)
        if gate_per not in _PER:
            raise ValueError(f"gate_per must be one of {_PER}. Got {gate_per!r}.")
        if not temperature > 0:
            raise ValueError(f"temperature must be positive. Got {temperature!r}.")
        self.gate_per = gate_per
        self.gate_rank = check_units_or_none("gate_rank", gate_rank)
        self.temperature = float(temperature)

    def add_gates(self, width):
        self.decay_gate = DecayGate(self, width, self.gate_per, self.gate_rank)

    def gates(self, inputs):
        logits = self.decay_gate(inputs)
        return {"log_decay": ops.log_sigmoid(logits) / self.temperature}

    def recur(self, parts, memory):
        return gated_scan(**parts, state=memory, chunk=self.chunk_size)

    def get_config(self):
        return {
            **super().get_config(),
            "gate_per": self.gate_per,
            "gate_rank": self.gate_rank,
            "temperature": self.temperature,
        }


class DecayGate:
    """Logits of decays (B, H, T, K) or (B, H, T, 1) from the input, with a bias.

    ``layer`` gets the projections ``decay`` and, with a rank, ``decay_down``.
    """

    def __init__(self, layer, width, per, rank):
        self.by_channel = per == "channel"
        shape = (layer.num_heads, layer.key_dim)
        self.down = None
        if rank and self.by_channel:
            self.down = to_heads(layer, "decay_down", width, (rank,))
            width = rank
        # One number per head is (H,), not (H, 1): on TensorFlow a bias of that shape
        # would be added along time where there are as many positions as heads.
        shape = shape if self.by_channel else shape[:1]
        self.up = to_heads(layer, "decay", width, shape, use_bias=True)
        layer.decay_layers = [each for each in (self.down, self.up) if each]

    def __call__(self, inputs):
        narrow = inputs if self.down is None else self.down(inputs)
        logits = widen(ops.swapaxes(self.up(narrow), 1, 2))
        return logits if self.by_channel else ops.expand_dims(logits, -1)
