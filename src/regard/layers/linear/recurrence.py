"""What every attention that is a recurrence shares: masks, state, steps, trace."""

import keras
from keras import ops

from regard.changing import changes_of
from regard.core import positions
from regard.core.caches import Chunk
from regard.core.positions import Position
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.changed_weights import changed_reading, without_hidden
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import computing_in, get_keras_mask
from regard.layers.linear.projections import (
    check_sizes,
    from_heads,
    take_options,
    to_heads,
)
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units


class RecurrentAttention(Adaptable, Traceable):
    r"""Causal attention of a sequence to itself with a state of fixed size; abstract.

    $S_t = A_t S_{t-1} + k_t u_t^\top,\quad o_t = S_t^\top q_t$ in every head, with
    ``query``, ``key`` and ``value`` projected from the input. A mechanism is a final
    subclass that adds its gates (``add_gates``, ``gates``) and says how the state moves
    (``recur``).

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real. Padding writes nothing, forgets nothing, takes no
            position and reads zeros, wherever it stands. The inputs' implicit mask is
            honoured too.
        state: what ``initial_state`` or an earlier call returned; then the result is
            the pair of output and new state.
        return_attention_scores: also return the weights (B, H, T, T): what each value
            of this call contributes. They may be negative.

    Constructor options of every recurrence:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        use_bias: of the projections.
        scale: of queries, by default one over the root of their width.
        chunk_size: positions computed at once; changes nothing but speed.
        output_norm: None, or divide by the root mean square of every "head" or of the
            whole "width", with a learned scale.
        output_gate: None, or multiply by "silu" or "sigmoid" of a projection.
        position: a scheme that turns queries and keys, such as RoPE().
        kernel_initializer, kernel_regularizer, kernel_constraint: of projections.

    ``layer(x)``, ``prefill`` in pieces and ``step`` one by one give the same numbers.
    The state is a dict of float32 tensors, batch first, and never kept on the layer.
    """

    def __init__(
        self, num_heads, key_dim, value_dim=None, output_shape=None, **options
    ):
        named = {name: options.pop(name, None) for name in _OPTIONS}
        kernels = take_options(options)
        super().__init__(**options)
        check_sizes(self, num_heads, key_dim, value_dim, output_shape)
        self.weight_options = kernels
        self.use_bias = bool(named["use_bias"])
        chunk = named["chunk_size"]
        self.chunk_size = None if chunk is None else check_units("chunk_size", chunk)
        scale = named["scale"]
        self.scale = self.key_dim**-0.5 if scale is None else float(scale)
        self.output_norm = _one_of("output_norm", named["output_norm"], _NORMS)
        self.output_gate = _one_of("output_gate", named["output_gate"], _GATES)
        self.position = _rotating(named["position"])
        self.check_position()
        self.supports_masking = True

    def check_position(self):
        """Raise where the position scheme is none for this mechanism."""
        if self.position is not None and self.position.copies > 1:
            raise ValueError(
                f"position must keep the width of queries and keys in "
                f"{type(self).__name__}. Got {self.position!r}, which "
                "CausalLinearAttention takes with feature_map='relu'."
            )

    # What a mechanism fills in -------------------------------------------------------

    def add_gates(self, width: int) -> None:
        """Create weights beyond the projections."""

    def gates(self, inputs) -> dict:
        """Gates by name, (B, H, T, ·) in float32; zero where a position is padding."""
        return {}

    def prepared(self, parts):
        """Queries, keys and values as the recurrence takes them."""
        return parts

    def recur(self, parts, memory):
        """From parts and the memory before them to outputs and the memory after."""
        raise NotImplementedError(f"{type(self).__name__} must define recur.")

    def memory_shape(self):
        """(K, V) of the memory of a head."""
        return self.key_dim, self.value_dim

    # Weights -------------------------------------------------------------------------

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        width, heads = inputs_shape[-1], self.num_heads
        for name, size in (("query", "key"), ("key", "key"), ("value", "value")):
            shape = (heads, getattr(self, f"{size}_dim"))
            dense = to_heads(self, name, width, shape, self.use_bias)
            setattr(self, f"{name}_dense", dense)
        self.add_gates(width)
        shape = (heads, self.value_dim)
        if self.output_gate:
            self.gate_dense = to_heads(self, "gate", width, shape, self.use_bias)
        if self.output_norm:
            size = shape if self.output_norm == "width" else shape[1:]
            self.norm_scale = self.add_weight(
                size, name="norm_scale", initializer="ones"
            )
        self.position_weights = ()
        if self.position is not None:
            self.position_weights = self.position.build(self, heads, self.key_dim)
        output = self.output_size or width
        self.output_dense = from_heads(self, shape, output, self.use_bias)
        self.built = True

    # The call ------------------------------------------------------------------------

    def call(
        self,
        inputs,
        mask=None,
        state=None,
        return_attention_scores=False,
        training=None,
    ):
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        inputs = hide(inputs, mask)
        start = self.initial_state(batch) if state is None else state
        parts = self.parts(inputs, mask, start)
        before = ops.cast(start["memory"], "float32")
        changes = changes_of(self)
        if changes:
            parts = without_hidden(self, parts, changes)
        context, memory = self.recur(parts, before)
        listeners = self.recorders()
        if return_attention_scores or listeners or changes:
            weights = self.weights_of(parts, before)
        if changes:
            weights, context = changed_reading(parts, weights, context, mask, changes)
        context = ops.cast(context, self.compute_dtype)
        output = self.finish(context, inputs)
        results = [output]
        if return_attention_scores or listeners:
            if return_attention_scores:
                results.append(ops.cast(weights, self.compute_dtype))
        for listener in listeners:
            shown = {name: parts[name] for name in ("query", "key", "value")}
            extra = {k: each for k, each in parts.items() if k not in shown}
            found = {"weights": weights, "context": context, "extra": extra}
            seen = {}
            if mask is not None:
                seen["padding"] = mask[:, None, None, :]
                seen["query"] = mask[:, None, :, None]
            if state is not None:
                extra["start"] = start["memory"]
            if self.position is not None:
                places = Chunk.of(start["position"], length, mask).places
                extra["places"] = ops.reshape(places, (batch, 1, length))
            listener.receive(self, {**shown, **found, "masks": seen})
        if state is not None:
            results.append(self._after(start, memory, length, mask))
        return results[0] if len(results) == 1 else tuple(results)

    def parts(self, inputs, mask, state):
        """All that enters the recurrence, by name; padding is zero everywhere."""
        parts = {}
        for name in ("query", "key", "value"):
            dense = getattr(self, f"{name}_dense")
            parts[name] = widen(ops.swapaxes(dense(inputs), 1, 2))
        if self.position is not None:
            length = sizes_of(inputs)[1]
            places = Chunk.of(state["position"], length, mask).places
            weights = [ops.convert_to_tensor(each) for each in self.position_weights]
            for name in ("query", "key"):
                parts[name] = self.position.rotate(parts[name], places, *weights)
        parts = {**self.prepared(parts), **self.gates(inputs)}
        parts["query"] = parts["query"] * self.scale
        if mask is None:
            return parts
        seen = mask[:, None, :, None]
        zero = {name: ops.zeros_like(each) for name, each in parts.items()}
        return {name: ops.where(seen, each, zero[name]) for name, each in parts.items()}

    def weights_of(self, parts, memory):
        """The weights (B, H, T, T): outputs are linear in the values, so those of unit
        values, after a memory of no values, are the weights."""
        batch, heads, length, _ = sizes_of(parts["value"])
        ones = ops.eye(length, dtype=parts["value"].dtype)
        value = ops.broadcast_to(ones, (batch, heads, length, length))
        before = self.without_values(memory, length)
        return self.recur({**parts, "value": value}, before)[0]

    def without_values(self, memory, width):
        """A memory like this one whose values are ``width`` zeros; None holds nothing.

        Only a mechanism whose weights depend on what came before says another.
        """
        return None

    def finish(self, context, inputs):
        """(B, H, T, V) -> (B, T, Dout): normalize, gate, join the heads."""
        context = ops.swapaxes(context, 1, 2)  # (B, T, H, V)
        if self.output_norm:
            axes = (-1, -2) if self.output_norm == "width" else -1
            wide = widen(context)
            squares = ops.mean(ops.square(wide), axis=axes, keepdims=True)
            wide = wide * ops.rsqrt(squares + 1e-6)
            context = ops.cast(wide, context.dtype) * self.norm_scale
        if self.output_gate:
            gate = self.gate_dense(inputs)
            context = context * keras.activations.get(self.output_gate)(gate)
        return self.output_dense(context)

    # State ---------------------------------------------------------------------------

    def initial_state(self, batch_size):
        """The state before the first position, every leaf batch first."""
        shape = (batch_size, self.num_heads, *self.memory_shape())
        state = {"memory": ops.zeros(shape, dtype="float32")}
        if self.position is not None:
            state["position"] = ops.zeros((batch_size,), dtype="int32")
        return state

    def _after(self, state, memory, length, mask):
        after = {"memory": memory}
        if self.position is not None:
            after["position"] = Chunk.of(state["position"], length, mask).end
        return after

    def prefill(self, inputs, mask=None, state=None):
        """Read a piece (B, T, D) at once: its output and the state after it."""
        state = self.initial_state(ops.shape(inputs)[0]) if state is None else state
        return self(inputs, mask=mask, state=state)

    def step(self, inputs, state):
        """Read one position (B, D): its output (B, Dout) and the state after it."""
        with computing_in(self):
            inputs = ops.cast(inputs, self.compute_dtype)
            output, state = self.call(ops.expand_dims(inputs, 1), state=state)
        return ops.squeeze(output, 1), state

    # Keras ---------------------------------------------------------------------------

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.output_size or inputs_shape[-1])

    def compute_output_spec(self, inputs, mask=None, state=None, **options):
        batch, length, width = inputs.shape
        kind = self.compute_dtype
        specs = [
            keras.KerasTensor((batch, length, self.output_size or width), dtype=kind)
        ]
        if options.get("return_attention_scores"):
            shape = (batch, self.num_heads, length, length)
            specs.append(keras.KerasTensor(shape, dtype=kind))
        if state is not None:
            specs.append(
                keras.tree.map_structure(
                    lambda leaf: keras.KerasTensor(leaf.shape, dtype=leaf.dtype), state
                )
            )
        return specs[0] if len(specs) == 1 else tuple(specs)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self.output_size,
            "use_bias": self.use_bias,
            "chunk_size": self.chunk_size,
            "scale": self.scale,
            "output_norm": self.output_norm,
            "output_gate": self.output_gate,
            "position": self.position
            and keras.saving.serialize_keras_object(self.position),
            **self.weight_options.config(),
        }


_OPTIONS = ("use_bias", "chunk_size", "scale", "output_norm", "output_gate", "position")
_NORMS = (None, "head", "width")
_GATES = (None, "silu", "sigmoid")


def zeros_beside(memory, width):
    """(…, width) of zeros for a memory (…, V)."""
    return ops.broadcast_to(
        ops.zeros_like(memory[..., :1]), (*sizes_of(memory)[:-1], width)
    )


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}. Got {value!r}.")
    return value


def _rotating(position):
    """A position scheme that turns queries and keys, or None."""
    position = positions.get(position)
    if position is None:
        return None
    if type(position).rotate is Position.rotate:
        raise ValueError(
            "position must turn queries and keys, as RoPE() does: there are no scores "
            f"to add a bias to. Got {position!r}."
        )
    return position
