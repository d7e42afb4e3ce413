"""Forgetting attention: softmax attention whose past fades by a gate."""

import keras
from keras import ops

from regard.core.attend import Recipe, Visibility, attend
from regard.core.normalizers import Softmax
from regard.core.rows import by_rows
from regard.core.scopes import Causal, Grid
from regard.core.scores import dot, widen
from regard.core.shapes import is_static, sizes_of
from regard.layers.linear.projections import to_heads
from regard.layers.linear.recurrence import RecurrentAttention, zeros_beside


@keras.saving.register_keras_serializable("regard")
class ForgettingAttention(RecurrentAttention):
    r"""$s_{ij} = q_i^\top k_j/\sqrt d + \sum_{l=j+1}^{i}\log f_l$ for $j \le i$.

    $f_l = \sigma(w^\top x_l + b)$ in (0, 1) says in every head how much of the past
    survives position l. With f = 1 it is causal softmax attention, with a constant f
    ALiBi with slope $-\log f$. Sums are taken in float32. Its state is the only one of
    this family that grows: the keys, values and sums so far, (B, H, S, K + V + 2). With
    a state the weights (B, H, T, T) are the shares of this call's positions; what they
    lack to 1 went to those before.

    Lin et al. 2025, "Forgetting Transformer", arXiv:2503.02130.

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        gate_bias: where b starts; 0 forgets half at every position.
        **options: of every recurrence (see ``RecurrentAttention``) and layer;
            chunk_size is how many queries read at once, by default as many as the
            engine finds best.
    """

    mechanism = "forgetting"

    def __init__(self, num_heads, key_dim, gate_bias=3.0, **options):
        super().__init__(num_heads, key_dim, **options)
        self.gate_bias = float(gate_bias)

    def add_gates(self, width):
        shape = (self.num_heads,)
        self.forget_dense = to_heads(self, "forget", width, shape)
        start = keras.initializers.Constant(self.gate_bias)
        self.forget_bias = self.add_weight(shape, name="forget_bias", initializer=start)

    def gates(self, inputs):
        logits = widen(self.forget_dense(inputs) + self.forget_bias)
        log = ops.expand_dims(ops.swapaxes(ops.log_sigmoid(logits), 1, 2), -1)
        return {"log_decay": log, "real": ops.ones_like(log)}

    def recur(self, parts, memory):
        query, value = parts["query"], parts["value"]
        sums = ops.cumsum(parts["log_decay"], axis=2)
        if memory is not None:  # go on from the last sum; an empty memory has none
            sums = sums + ops.sum(memory[:, :, -1:, -2:-1], axis=2, keepdims=True)
        new = ops.concatenate([parts["key"], value, sums, parts["real"]], axis=-1)
        kept = new if memory is None else ops.concatenate([memory, new], axis=2)
        width = parts["key"].shape[-1]
        asked = ops.concatenate([query, sums], axis=-1)
        stored = ops.concatenate([kept[..., :width], kept[..., -2:-1]], axis=-1)
        real = ops.expand_dims(kept[..., -1] > 0, 2)  # (B, H, 1, S)
        lengths = sizes_of(query)[2], sizes_of(kept)[2]
        seen = Visibility({"padding": real}, {"causal": Causal()}, Grid.of(*lengths))
        tensors = (asked, stored, kept[..., width:-2], Recipe(_faded, Softmax()), seen)
        if self.chunk_size is None:
            found = attend(*tensors)
        else:
            rows = self.chunk_size
            rows = min(rows, lengths[0]) if is_static(lengths[0]) else rows
            found = by_rows(rows, (), *tensors, None, None)
        return found["context"] * parts.get("asking", parts["real"]), kept

    def without_values(self, memory, width):
        zeros = zeros_beside(memory, width)
        parts = (memory[..., : self.key_dim], zeros, memory[..., -2:])
        return ops.concatenate(parts, axis=-1)

    def memory_shape(self):
        return 0, self.key_dim + self.value_dim + 2

    def get_config(self):
        return {**super().get_config(), "gate_bias": self.gate_bias}


def _faded(query, key):
    """Products, and what the gates between the two places let through."""
    own, past = query[..., -1:], ops.swapaxes(key[..., -1:], -1, -2)
    return dot(query[..., :-1], key[..., :-1]) + own - past
