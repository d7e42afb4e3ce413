"""Attention over the near, and over the nearest of an outer memory."""

from dataclasses import replace

import keras
from keras import ops

from regard.core.attend import Visibility, attend
from regard.core.masks import position_mask
from regard.core.normalizers import TopK
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.heads.projected import ProjectedHeads
from regard.layers.inputs import gathered
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class MemorizingAttention(ProjectedHeads):
    r"""$c_h = g_h\, c^{\mathrm{memory}}_h + (1 - g_h)\, c^{\mathrm{near}}_h,\quad
    g_h = \sigma(b_h)$.

    The near context is multi-head attention over the call's value. The outer memory
    holds keys and values of earlier calls; every query reads its k best keys there
    with a softmax of their own (``neighbours``), and a learned gate per head, ``b``
    (H,), weighs the two. No gradient goes into the memory. Without a memory, or where
    an example has an empty one, the layer is multi-head attention. Entries stand at no
    position.

    The memory is an argument, and kept by the caller: ``entries(value)`` gives what to
    append to it. Output (B, T, Dout), weights of the near (B, H, T, S).

    Wu, Rabe, Hutchins, Szegedy 2022, "Memorizing transformers", arXiv:2203.08913.
    There keys and queries are normed (``query_key_norm="unit"``) and the
    nearest are found approximately; here every key is compared.

    Args:
        num_heads, key_dim, value_dim, use_bias, output_shape: as in
            ``MultiHeadAttention``.
        neighbours: k, how many entries a query reads.
        gate_bias: where ``b`` starts; below 0 the memory counts little.
        options: of all layers with heads, and what every attention takes.

    Call arguments, besides those of every attention:
        memory_key: (B, H, M, key_dim); memory_value: (B, H, M, value_dim).
        memory_mask: (B, M), True = holds an entry.

    Raises:
        ValueError: where neighbours is not a positive integer, a key comes without a
            value, or the memory does not fit the heads.
    """

    mechanism = "memorizing"

    def __init__(self, num_heads, key_dim, neighbours=32, gate_bias=0.0, **options):
        super().__init__(num_heads, key_dim, **options)
        self.neighbours = check_units("neighbours", neighbours)
        self.gate_bias = float(gate_bias)

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        start = keras.initializers.Constant(self.gate_bias)
        self.memory_gate = self.add_weight(
            (self.num_heads,), name="memory_gate", initializer=start
        )

    def entries(self, value, key=None):
        """What a memory keeps of a value (B, S, Dv): keys and values by head."""
        keys, values = self.project_memory(value if key is None else key, value)
        return ops.stop_gradient(keys), ops.stop_gradient(values)

    def call(  # noqa: PLR0913 - Keras' arguments, then ours
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
        *,
        bias=None,
        query_positions=None,
        key_positions=None,
        state=None,
        memory_key=None,
        memory_value=None,
        memory_mask=None,
    ):
        options = {
            "bias": bias,
            "query_positions": query_positions,
            "key_positions": key_positions,
        }
        masks = (query_mask, value_mask, key_mask)
        usual = (attention_mask, return_attention_scores, training, use_causal_mask)
        if memory_key is None and memory_value is None:
            return super().call(
                query, value, key, *masks, *usual, **options, state=state
            )
        far = self._checked(memory_key, memory_value, memory_mask, state)
        given = gathered(query, value, key, *masks)

        def blend(queries, near):
            mask = given.query_mask
            context, gate, read = self._blended(queries, near, far, mask)
            return context, {"extra": {"gate": gate, "far": read}}

        hidden, places = (
            (attention_mask, use_causal_mask),
            (query_positions, key_positions),
        )
        asked = return_attention_scores
        return self._answered(given, hidden, bias, places, training, asked, blend)

    def _blended(self, queries, near, far, query_mask):
        """Near and far context in one (B, H, T, Dv), the gate, and the far one."""
        *memory, seen = far
        recipe = replace(
            self._whole_recipe(),
            position=None,
            normalizer=TopK(self.neighbours),
            normalizer_parameters=(),
        )
        masks = {"memory": seen[:, None, None]}
        if query_mask is not None:
            masks["query"] = query_mask[:, None, :, None]
        found = attend(queries, *memory, recipe, Visibility(masks))["context"]
        gate = ops.sigmoid(widen(ops.convert_to_tensor(self.memory_gate)))
        full = ops.any(seen, axis=-1)[:, None, None, None]
        gate = ops.where(full, ops.reshape(gate, (1, -1, 1, 1)), 0.0)  # (B, H, 1, 1)
        gate = ops.cast(gate, near.dtype)
        return gate * ops.cast(found, near.dtype) + (1 - gate) * near, gate, found

    def _checked(self, memory_key, memory_value, memory_mask, state):
        """Keys, values and mask (B, M) of the outer memory, without gradients."""
        if state is not None:
            raise ValueError("state must be None together with an outer memory.")
        widths = {"memory_key": self.key_dim, "memory_value": self.value_dim}
        given = {"memory_key": memory_key, "memory_value": memory_value}
        heads, found = self.key_heads, []
        for name, width in widths.items():
            shape = None if given[name] is None else tuple(given[name].shape)
            if shape is None or len(shape) != 4 or shape[1::2] != (heads, width):
                raise ValueError(
                    f"{name} must have shape (batch, {heads}, entries, {width}), as "
                    f"entries() gives it. Got {shape}."
                )
            each = ops.cast(given[name], self.compute_dtype)
            found.append(ops.stop_gradient(each))
        batch, _, size, _ = sizes_of(found[0])
        if memory_mask is None:
            return (*found, ops.ones((batch, size), dtype="bool"))
        seen = position_mask(memory_mask, "memory_mask", batch, size)
        hidden = seen[:, None, :, None]
        found = [ops.where(hidden, each, ops.zeros_like(each)) for each in found]
        return (*found, seen)

    def compute_output_spec(self, query, value=None, key=None, *memory, **options):
        asked = options.get("return_attention_scores", False)
        return super().compute_output_spec(query, value, return_attention_scores=asked)

    def get_config(self):
        return {
            **super().get_config(),
            "neighbours": self.neighbours,
            "gate_bias": self.gate_bias,
        }
