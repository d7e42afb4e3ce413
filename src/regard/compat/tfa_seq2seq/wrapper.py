"""A recurrent cell that looks at a memory at every step."""

import keras
from keras import ops

from regard.compat.reader import register
from regard.compat.tfa_seq2seq.wrapper_parts import (
    AttentionWrapperState,
    joined,
    kept,
    listed,
    revived,
)
from regard.core.shapes import sizes_of
from regard.layers.decoder_loop import cell_dropout, run_loop
from regard.layers.decoder_parts import (
    alike,
    as_layer,
    check_attention,
    check_cell,
    packed,
    takes_training,
)
from regard.layers.traceable import Traceable

__all__ = ["AttentionWrapper", "AttentionWrapperState"]


@register("tfa_seq2seq")
class AttentionWrapper(Traceable):
    r"""$o_t = \mathrm{cell}([x_t; a_{t-1}]),\quad c_t = \mathrm{mechanism}(o_t),\quad
    a_t = W [o_t; c_t]$, or $a_t = c_t$ without an attention layer.

    The output is $a_t$ (Luong), or $o_t$ where ``output_attention`` is False. Inputs
    (B, T, E), memory (B, S, Dm), output (B, T, ·). The memory is an argument of every
    call; nothing is kept on the layer, so models with one can be saved, on every
    backend. Several mechanisms read one memory, or a list of as many.

    Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.3 (input feeding). For
    Bahdanau's decoder, whose query is the state before the step, take
    ``regard.layers.AttentionDecoder``.

    Args:
        cell: a Keras cell.
        attention_mechanism: a mechanism or a list of them: those of this package, or
            any attention of ``regard.layers`` that takes steps.
        attention_layer_size: width of $a_t$, a number or one for each mechanism; a
            dense layer without a bias.
        alignment_history: put the weights of all steps into the state returned.
        cell_input_fn: a function of inputs and attention; by default both are joined.
        output_attention: whether the output is $a_t$ or $o_t$.
        initial_cell_state: None; states are arguments (``initial_state=``).
        attention_layer: instead of a size, a layer or one for each mechanism.
        attention_fn: a function of mechanism, cell output, memory, attention state and
            attention layer that gives attention, weights (B, S) and the next state.
            Functions must be registered with Keras to be saved.

    Call arguments:
        inputs: (B, T, E); memory: (B, S, Dm), or a list.
        memory_sequence_length: (B,), or memory_mask: (B, S), True = real; or lists.
        initial_state: the cell's states, by default zeros.
        return_alignments: also return the weights (B, T, S), a list of them where
            there are several mechanisms.
        return_state: also return the ``AttentionWrapperState`` after the last step.

    Raises:
        ValueError: for both a size and a layer, a number of sizes, layers or memories
            that is not that of the mechanisms, or an initial_cell_state.
    """

    mechanism = "tfa_wrapper"

    def __init__(  # noqa: PLR0913 - the original's own signature
        self,
        cell,
        attention_mechanism,
        attention_layer_size=None,
        alignment_history=False,
        cell_input_fn=None,
        output_attention=True,
        initial_cell_state=None,
        name=None,
        attention_layer=None,
        attention_fn=None,
        **options,
    ):
        super().__init__(name=name, **options)
        if initial_cell_state is not None:
            raise ValueError(
                "initial_cell_state must be None, because a layer keeps no state. Pass "
                "initial_state= to the call."
            )
        self.cell = check_cell(as_layer(cell))
        self.is_multi = isinstance(attention_mechanism, (list, tuple))
        several = listed(attention_mechanism)
        self.attention_mechanisms = [check_attention(as_layer(m)) for m in several]
        self.attention_layer_size = attention_layer_size
        self.has_own_layers = attention_layer is not None
        self.attention_layers = self._after(attention_layer_size, attention_layer)
        self.alignment_history = bool(alignment_history)
        self.cell_input_fn = revived(cell_input_fn)
        self.output_attention = bool(output_attention)
        self.attention_fn = revived(attention_fn)

    def _after(self, sizes, given):
        """One layer, or None, for each mechanism."""
        if sizes is not None and given is not None:
            raise ValueError(
                "attention_layer_size must be None with an attention_layer. Got "
                f"{sizes!r}. Give one of them."
            )
        count = len(self.attention_mechanisms)
        if sizes is None and given is None:
            return [None] * count
        several = listed(given if sizes is None else sizes)
        if len(several) != count:
            raise ValueError(
                "attention_layer_size and attention_layer must be one for each of the "
                f"{count} mechanisms. Got {len(several)}."
            )
        if sizes is None:
            return [as_layer(each) for each in several]
        return [
            keras.layers.Dense(
                size,
                use_bias=False,
                name="attention_layer" if count == 1 else f"attention_layer_{number}",
                dtype=self.dtype_policy,
            )
            for number, size in enumerate(several)
        ]

    # Widths --------------------------------------------------------------------------

    @property
    def cell_width(self) -> int:
        """Width of the cell's output."""
        width = getattr(self.cell, "output_size", None)
        return width or keras.tree.flatten(self.cell.state_size)[0]

    def build(self, inputs_shape, memory_shape):
        batch, width = inputs_shape[0], self.cell_width
        shapes = memory_shape
        if not isinstance(memory_shape[0], (list, tuple)):
            shapes = [memory_shape] * len(self.attention_mechanisms)
        self.attention_width = 0
        for mechanism, layer, shape in self._each(shapes):
            if not mechanism.built:
                mechanism.build((batch, None, width), tuple(shape), tuple(shape))
                mechanism.built = True
            size = mechanism.output_width(width, shape[-1])
            if layer is not None:
                if not layer.built:
                    layer.build((batch, width + size))
                size = layer.compute_output_shape((batch, width + size))[-1]
            self.attention_width += size
        self.read_width = self._read_width(inputs_shape[-1])
        if not self.cell.built:
            self.cell.build((batch, self.read_width))
            self.cell.built = True
        self.output_width = (
            self.attention_width if self.output_attention else self.cell_width
        )
        self.built = True

    def _each(self, memories):
        if len(memories) != len(self.attention_mechanisms):
            raise ValueError(
                "memory must be one tensor, or a list with one for each of the "
                f"{len(self.attention_mechanisms)} mechanisms. Got {len(memories)}."
            )
        layers = self.attention_layers
        return list(zip(self.attention_mechanisms, layers, memories, strict=True))

    def _read_width(self, inputs_width):
        if self.cell_input_fn is None:
            return inputs_width + self.attention_width
        example = ops.zeros((1, inputs_width)), ops.zeros((1, self.attention_width))
        return self.cell_input_fn(*example).shape[-1]

    # One step ------------------------------------------------------------------------

    def prepare(self, memory, memory_sequence_length=None, memory_mask=None):
        """Project a memory once, before the loop: a list, one for each mechanism."""
        given = [
            each
            if isinstance(each, (list, tuple))
            else [each] * len(self.attention_mechanisms)
            for each in (memory, memory_sequence_length, memory_mask)
        ]
        found = self._each(given[0])
        return [
            mechanism.prepare(each, value_mask=kept(each, lengths, mask))
            for (mechanism, _, each), lengths, mask in zip(
                found, *given[1:], strict=True
            )
        ]

    def get_initial_state(self, memory, cell_state=None):
        """The state before the first step over a prepared memory.

        Args:
            memory: what ``prepare`` gave.
            cell_state: the cell's states, by default zeros.
        """
        batch = ops.shape(keras.tree.flatten(memory)[0])[0]
        if cell_state is None:
            cell_state = self.cell.get_initial_state(batch_size=batch)
        leaves = keras.tree.flatten(cell_state)
        states = [m.initial_state(each) for m, _, each in self._each(memory)]
        return AttentionWrapperState(
            leaves,
            ops.zeros((batch, self.attention_width), dtype=leaves[0].dtype),
            [ops.zeros_like(each["mask"], dtype="float32") for each in memory],
            (),
            states,
        )

    def step(self, inputs, memory, state, training=False, noise=None):
        """One step: inputs (B, E) to the output (B, ·) and the next state; pure.

        ``noise``: for each mechanism None or what is added to its scores, (B, S).
        """
        noise = noise or [None] * len(self.attention_mechanisms)
        inputs, attention = alike(inputs, state.attention)
        join = self.cell_input_fn or joined
        options = {"training": training} if takes_training(self.cell) else {}
        cell_state = packed(self.cell, list(state.cell_state))
        output, cell_state = self.cell(join(inputs, attention), cell_state, **options)
        found = [
            self._look(mechanism, layer, output, each, own, added)
            for (mechanism, layer, each), own, added in zip(
                self._each(memory), state.attention_state, noise, strict=True
            )
        ]
        attention = ops.concatenate(alike(*[each[0] for each in found]), axis=-1)
        after = AttentionWrapperState(
            keras.tree.flatten(cell_state),
            attention,
            [each[1] for each in found],
            (),
            [each[2] for each in found],
        )
        return (attention if self.output_attention else output), after

    def _look(self, mechanism, layer, output, memory, state, noise):
        """Attention (B, A), weights (B, S) and the mechanism's next state."""
        if self.attention_fn is not None:
            return self.attention_fn(mechanism, output, memory, state, layer)
        options = {} if noise is None else {"noise": noise}
        context, weights, state = mechanism.step(output, memory, state, **options)
        weights = ops.cast(ops.mean(weights, axis=1), "float32")
        if layer is not None:
            context = layer(ops.concatenate(alike(output, context), axis=-1))
        return context, weights, state

    # The loop ------------------------------------------------------------------------

    def call(  # noqa: PLR0913 - what the original's cell, mechanisms and loop take
        self,
        inputs,
        memory,
        memory_sequence_length=None,
        memory_mask=None,
        initial_state=None,
        return_alignments=False,
        return_state=False,
        training=None,
    ):
        memory = self.prepare(memory, memory_sequence_length, memory_mask)
        state = self.get_initial_state(memory, initial_state)
        training = bool(training)

        width, noise = inputs.shape[-1], self._noise(inputs, memory, training)
        walked = ops.concatenate(alike(inputs, *noise.values()), axis=-1)

        def step(each, memory, state):
            added = self._split(each[:, width:], memory, noise)
            inputs, state = each[:, :width], AttentionWrapperState(*state)
            output, state = self.step(inputs, memory, state, training, added)
            weights = ops.concatenate(state.alignments, axis=-1)
            return output, weights[:, None], list(state), {}

        example = ops.zeros((ops.shape(inputs)[0], self.read_width), inputs.dtype)
        with cell_dropout(self.cell, example, state.cell_state):
            outputs, weights, state, _ = run_loop(step, walked, memory, list(state))
        history = self.split_history(weights[:, 0], memory)
        for listener in self.recorders():
            seen = [ops.cast(each["mask"], "bool") for each in memory]
            seen = ops.concatenate(seen, axis=-1)[:, None, None]
            parts = {"weights": weights, "masks": {"padding": seen}}
            parts["mask"] = ops.broadcast_to(seen, ops.shape(weights))
            listener.receive(self, {**parts, "output": outputs})
        found = [ops.cast(outputs, self.compute_dtype)]
        if return_alignments:
            found.append(history if self.is_multi else history[0])
        if return_state:
            state = AttentionWrapperState(*state)
            if self.alignment_history:
                state = state.clone(alignment_history=history)
            found.append(state)
        return found[0] if len(found) == 1 else tuple(found)

    def _noise(self, inputs, memory, training):
        """What is drawn before the loop, (B, T, S) by number of the mechanism."""
        batch, length = sizes_of(inputs)[:2]
        found = {}
        for number, mechanism in enumerate(self.attention_mechanisms):
            if training and getattr(mechanism, "noise", 0):
                shape = (batch, length, sizes_of(memory[number]["mask"])[1])
                found[number] = mechanism.draw_noise(shape, training)
        return found

    def _split(self, columns, memory, noise):
        """The noise of one step, for each mechanism (B, S) or None."""
        found, start = [None] * len(memory), 0
        for number in noise:
            length = sizes_of(memory[number]["mask"])[1]
            found[number] = columns[:, start : start + length]
            start = start + length
        return found

    def split_history(self, weights, memory):
        """(B, T, all S) -> one (B, T, S) for each mechanism."""
        found, start = [], 0
        for each in memory:
            length = sizes_of(each["mask"])[1]
            found.append(weights[..., start : start + length])
            start = start + length
        return found

    def reports_for(self):
        """The mechanisms inside a loop make no call of their own."""
        return tuple(self.attention_mechanisms)

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return (*inputs_shape[:-1], self.output_width)

    def compute_output_spec(self, inputs, memory, *args, **options):
        if options.get("return_alignments") or options.get("return_state"):
            return keras.Operation.compute_output_spec(
                self, inputs, memory, *args, **options
            )
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        mechanisms = [serialize(each) for each in self.attention_mechanisms]
        return {
            **super().get_config(),
            "cell": serialize(self.cell),
            "attention_mechanism": mechanisms if self.is_multi else mechanisms[0],
            "attention_layer_size": self.attention_layer_size,
            "alignment_history": self.alignment_history,
            "cell_input_fn": self.cell_input_fn and serialize(self.cell_input_fn),
            "output_attention": self.output_attention,
            "initial_cell_state": None,
            "attention_layer": list(map(serialize, self.attention_layers))
            if self.has_own_layers
            else None,
            "attention_fn": self.attention_fn and serialize(self.attention_fn),
        }
