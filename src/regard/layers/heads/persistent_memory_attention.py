"""Keys and values that belong to the layer."""

from dataclasses import replace

import keras
from keras import ops

from regard.layers.heads.projected import ProjectedHeads


@keras.saving.register_keras_serializable("regard")
class PersistentMemoryAttention(ProjectedHeads):
    r"""Multi-head attention whose every query also sees M learned keys and values.

    $c_h = \mathrm{attend}\big(q_h, [K_h; \hat K_h], [V_h; \hat V_h]\big)$ with learned
    $\hat K$ (H, M, key_dim) and $\hat V$ (H, M, value_dim).

    The learned keys come last, stand at no position, and no mask, scope or bias hides
    them; a masked query sees none. So a query without any real key reads the layer's
    own values. Weights are (B, H, T, S + M), the last M those of the learned keys.
    With one slot this is ``add_bias_kv`` of ``torch.nn.MultiheadAttention``; vision
    transformers call learned tokens that all look at registers (Darcet et al. 2023,
    arXiv:2309.16588).

    Sukhbaatar, Grave, Lample, Jegou, Joulin 2019, "Augmenting Self-attention with
    Persistent Memory", arXiv:1907.01470.

    Args:
        num_heads, key_dim, value_dim, use_bias, output_shape: as in
            ``MultiHeadAttention``.
        memory_size: M, how many keys are learned, 0 for none.
        add_zero: append one more key and value of zeros, which lets a query read
            nothing (``add_zero_attn`` of torch).
        options: of all layers with heads (num_key_value_heads, use_gate, scale, ...),
            and what every attention takes.

    Raises:
        ValueError: where there would be no key at all, and as ``MultiHeadAttention``.
    """

    mechanism = "persistent_memory"

    def __init__(self, num_heads, key_dim, memory_size=16, add_zero=False, **options):
        super().__init__(num_heads, key_dim, **options)
        whole = hasattr(memory_size, "__index__") and not isinstance(memory_size, bool)
        if not whole or memory_size < 0 or not (memory_size or add_zero):
            raise ValueError(
                "memory_size must be a positive integer, or 0 with add_zero=True. Got "
                f"{memory_size!r}. Without keys of its own use MultiHeadAttention."
            )
        self.memory_size, self.add_zero = int(memory_size), bool(add_zero)
        self.own_keys = self.memory_size + self.add_zero

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        if not self.memory_size:
            return
        for name, width in (("key", self.key_dim), ("value", self.value_dim)):
            # Of the size that projected keys have, scaled inputs given.
            start = keras.initializers.RandomNormal(stddev=width**-0.5, seed=self.seed)
            shape = (self.num_key_value_heads, self.memory_size, width)
            weight = self.add_weight(shape, start.clone(), name=f"memory_{name}")
            setattr(self, f"memory_{name}", weight)

    def recipe(self):
        own = (self._own("key", self.key_dim), self._own("value", self.value_dim))
        return replace(super().recipe(), own=own)

    def _own(self, name, width):
        """(1, H, M, width)."""
        parts = []
        if self.memory_size:
            memory = ops.convert_to_tensor(getattr(self, f"memory_{name}"))
            parts.append(ops.expand_dims(memory, 0))
        if self.add_zero:
            shape = (1, self.num_key_value_heads, 1, width)
            parts.append(ops.zeros(shape, dtype=self.compute_dtype))
        return self.ordered(ops.concatenate(parts, axis=2))

    def get_config(self):
        return {
            **super().get_config(),
            "memory_size": self.memory_size,
            "add_zero": self.add_zero,
        }
