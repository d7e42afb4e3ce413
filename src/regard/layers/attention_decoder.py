"""Recurrent decoding with any attention around any Keras cell."""

from functools import partial

import keras
from keras import ops

from regard.core.shapes import sizes_of, without_head
from regard.layers import decoder_record
from regard.layers.decoder_folding import ask_folded, is_folded
from regard.layers.decoder_loop import cell_dropout, run_loop
from regard.layers.decoder_parts import (
    alike,
    as_layer,
    asking_state,
    build_side_by_side,
    check_attention,
    check_cell,
    combined,
    packed,
    run_cell,
)
from regard.layers.exporting import check_loop
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import (
    get_keras_mask,
    outside_the_compiler,
    traced_spec,
)
from regard.layers.programs import as_one_program
from regard.layers.traceable import Traceable

_QUERIES = ("previous_state", "new_state", "bottom_state")


@keras.saving.register_keras_serializable("regard")
class AttentionDecoder(Traceable):
    r"""A recurrent network that looks at a memory at every step.

    ``query="previous_state"`` (Bahdanau): the state before the step asks, and the cell
    reads what was found.

    $c_i = \mathrm{attention}(s_{i-1}, \text{memory}),\quad
    s_i = \mathrm{cell}([x_i; c_i], s_{i-1}),\quad o_i = [s_i; c_i]$

    ``query="new_state"`` (Luong): the cell goes first, and its new state asks. With
    ``input_feeding`` the cell also reads the output before.

    $h_i = \mathrm{cell}([x_i; o_{i-1}], h_{i-1}),\quad
    c_i = \mathrm{attention}(h_i, \text{memory}),\quad o_i = \tanh(W_c [c_i; h_i])$

    ``query="bottom_state"`` (GNMT): of several stacked cells the lowest asks with its
    state before the step, and every cell reads what was found.

    $c_i = \mathrm{attention}(s^1_{i-1}, \text{memory}),\quad
    s^l_i = \mathrm{cell}^l([s^{l-1}_i; c_i], s^l_{i-1}),\quad s^0_i = x_i,\quad
    o_i = s^L_i$

    ``x`` inputs (B, T, E), ``s``/``h`` the cell's output (B, U), ``c`` context (B, C),
    ``W_c`` (C + U, U). Output (B, T, U + C) for Bahdanau's, (B, T, U) for the others.

    One ``step`` serves training and search: the call runs it in a loop, search
    once a token after ``prepare(value)`` and ``initial_state(memory)``.
    Memory is an argument, nothing is kept on the layer, every leaf of a state has the
    batch first.

    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, section 3.1 and appendix A.2.2 (there
    inside a GRU, here before any cell). Luong, Pham, Manning 2015, arXiv:1508.04025,
    section 3.3 (input feeding). Wu et al. 2016, arXiv:1609.08144,
    section 3 (the bottom layer asks; residual connections are left to the cells).

    Args:
        attention: a layer with ``prepare``, ``initial_state`` and ``step``.
        cell: a Keras cell: ``GRUCell``, ``LSTMCell``, ``StackedRNNCells`` or your own
            with ``state_size`` (the first state of the last cell asks) and ``build``.
        query: "previous_state", "new_state" or "bottom_state".
        input_feeding: feed the output back into the cell; with "new_state" only.

    Call arguments:
        inputs: (B, T, E), usually embeddings of the tokens before.
        value: (B, S, Dv), what is looked at; key: (B, S, Dk), by default the value.
        value_mask: (B, S), True = real.
        initial_state: the cell's states, in the cell's own structure; by default zeros.
        return_attention_scores: also return the weights (B, T, S), with more than one
            head (B, H, T, S).
        return_state: also return the state after the last step.
        inputs_mask: (B, T), True = real; a padded step changes no state and gives 0.

    Raises:
        ValueError: for an unknown query, input feeding without "new_state", or an
            attention that cannot take single steps or has dropout.
    """

    mechanism = "decoder"

    def __init__(
        self, attention, cell, query="previous_state", input_feeding=False, **options
    ):
        super().__init__(**options)
        self.attention = check_attention(as_layer(attention))
        self.cell = check_cell(as_layer(cell))
        if query not in _QUERIES:
            raise ValueError(f"query must be one of {_QUERIES}. Got {query!r}.")
        if input_feeding and query != "new_state":
            raise ValueError(
                f"input_feeding must be False with query={query!r}, whose cell "
                "reads the context already. Got True. Use query='new_state'."
            )
        if query == "bottom_state" and len(getattr(self.cell, "cells", ())) < 2:
            raise ValueError(
                "cell must be StackedRNNCells of at least two with "
                f"query='bottom_state'. Got {self.cell!r}."
            )
        self.query = query
        self.input_feeding = bool(input_feeding)
        self.supports_masking = True

    # Widths --------------------------------------------------------------------------

    @property
    def cell_width(self) -> int:
        """Width of the cell's output."""
        width = getattr(self.cell, "output_size", None)
        return width or keras.tree.flatten(self.cell.state_size)[0]

    @property
    def cell_state_widths(self) -> list[int]:
        """Widths of the cell's states, in the order of ``initial_state``."""
        return keras.tree.flatten(self.cell.state_size)

    @property
    def _bottom_width(self) -> int:
        return keras.tree.flatten(self.cell.cells[0].state_size)[0]

    def build(self, inputs_shape, value_shape, key_shape=None):
        check_sequences(inputs=inputs_shape, value=value_shape)
        batch, width = inputs_shape[0], self.cell_width
        asking = self._bottom_width if self.query == "bottom_state" else width
        if not self.attention.built:
            queries = (batch, None, asking)
            self.attention.build(queries, value_shape, key_shape or value_shape)
            self.attention.built = True
        context = self.attention.output_width(asking, value_shape[-1])
        read = inputs_shape[-1]
        if self.query != "new_state":
            read += context
        else:
            shape = (context + width, width)
            self.output_kernel = self.add_weight(shape, name="output_kernel")
            read += width if self.input_feeding else 0
        if self.query == "bottom_state":
            build_side_by_side(self.cell, (batch, read), context)
        if not self.cell.built:
            self.cell.build((batch, read))
            self.cell.built = True
        self.inputs_width, self.read_width = inputs_shape[-1], read
        self.output_width = width + context if self.query == "previous_state" else width
        self.built = True

    # One step ------------------------------------------------------------------------

    def prepare(self, value, key=None, value_mask=None):
        """Project a memory once, before the loop: a dict of tensors, batch first."""
        return self.attention.prepare(value, key, value_mask)

    def initial_state(self, memory, cell_state=None):
        """The state before the first step: a dict, every leaf batch first."""
        batch = ops.shape(keras.tree.flatten(memory)[0])[0]
        if cell_state is None:
            cell_state = self.cell.get_initial_state(batch_size=batch)
        leaves = keras.tree.flatten(cell_state)
        expected = self.cell_state_widths
        if [leaf.shape[-1] for leaf in leaves] != expected:
            raise ValueError(
                f"initial_state must hold the cell's states, of widths {expected}. Got "
                f"{[tuple(leaf.shape) for leaf in leaves]}."
            )
        state = {"attention": self.attention.initial_state(memory), "cell": leaves}
        if self.input_feeding:
            state["output"] = ops.zeros((batch, self.cell_width), leaves[0].dtype)
        return state

    def step(self, inputs, memory, state, training=False, ask=None):
        """One token: inputs (B, E) to ``output (B, D)``, ``weights (B, H, S)``, state.

        Pure: the same function serves the loop of training and that of search. ``ask``
        stands for the attention's own ``step``, by default that itself.
        """
        ask = ask or self.attention.step
        if is_folded(memory):
            ask = partial(ask_folded, ask)
        if self.query == "previous_state":
            return self._step_before(inputs, memory, state, training, ask)
        if self.query == "bottom_state":
            return self._step_below(inputs, memory, state, training, ask)
        return self._step_after(inputs, memory, state, training, ask)

    def _step_before(self, inputs, memory, state, training, ask):
        asking = asking_state(self.cell, state["cell"])
        context, weights, attention_state = ask(asking, memory, state["attention"])
        inputs, context = alike(inputs, context)
        found, read = None, inputs
        if is_folded(memory):
            found, context = ops.split(context, [self.cell.kernel.shape[-1]], axis=-1)
        else:
            read = ops.concatenate([inputs, context], axis=-1)
        output, cell_state = run_cell(self.cell, read, state["cell"], training, found)
        output = ops.concatenate(alike(output, context), axis=-1)
        return output, weights, {"attention": attention_state, "cell": cell_state}

    def _step_below(self, inputs, memory, state, training, ask):
        asking = state["cell"][0]
        context, weights, attention_state = ask(asking, memory, state["attention"])
        output, leaves, after = inputs, state["cell"], []
        for cell in self.cell.cells:
            count = len(keras.tree.flatten(cell.state_size))
            read = ops.concatenate(alike(output, context), axis=-1)
            output, states = run_cell(cell, read, leaves[:count], training)
            leaves, after = leaves[count:], [*after, *states]
        return output, weights, {"attention": attention_state, "cell": after}

    def _step_after(self, inputs, memory, state, training, ask):
        read = inputs
        if self.input_feeding:
            read = ops.concatenate(alike(inputs, state["output"]), axis=-1)
        hidden, cell_state = run_cell(self.cell, read, state["cell"], training)
        context, weights, attention_state = ask(hidden, memory, state["attention"])
        output = combined(self, context, hidden, is_folded(memory))
        state = {"attention": attention_state, "cell": cell_state}
        if self.input_feeding:
            state["output"] = output
        return output, weights, state

    # The loop ------------------------------------------------------------------------

    def call(  # noqa: PLR0913 - what Keras' own attention and RNN take
        self,
        inputs,
        value,
        key=None,
        value_mask=None,
        initial_state=None,
        return_attention_scores=False,
        return_state=False,
        training=None,
        inputs_mask=None,
    ):
        batch, length = sizes_of(inputs)[:2]
        check_loop(self, length)
        mask = join(inputs_mask, get_keras_mask(inputs))
        mask = checked(mask, "inputs_mask", batch, length)
        inputs = hide(inputs, mask)
        memory = prepared = self.prepare(value, key, value_mask)
        state = self.initial_state(memory, initial_state)
        training = bool(training)
        example = ops.zeros((ops.shape(inputs)[0], self.read_width), inputs.dtype)
        beside = self.read_width - self.inputs_width
        beside = beside if self.query == "bottom_state" else 0
        with cell_dropout(self.cell, example, state["cell"], beside):
            if self.attends_after_the_loop(state):
                memory = {"value": value, "key": key, "value_mask": memory["mask"]}
                results = self._after_the_loop(inputs, memory, state, mask, training)
            else:
                shape = (batch, length, ops.shape(prepared["mask"])[1])
                inputs = self._with_noise(inputs, shape, training)
                results = self._in_steps(inputs, memory, state, mask, training=training)
        outputs, weights, state, extra = results
        for listener in self.recorders():
            parts = decoder_record.record(
                self.attention, weights, prepared, mask, extra
            )
            listener.receive(self, {**parts, "output": outputs})
        wanted = [ops.cast(outputs, self.compute_dtype)]
        if return_attention_scores:
            weights = ops.cast(weights, self.compute_dtype)
            wanted.append(without_head(weights) if weights.shape[1] == 1 else weights)
        if return_state:
            wanted.append(state)
        return wanted[0] if len(wanted) == 1 else tuple(wanted)

    def _with_noise(self, inputs, shape, training):
        """The inputs, and beside them the random numbers (B, T, S) that steps need."""
        draw = getattr(self.attention, "draw_noise", None)
        noise = draw(shape, training) if draw else None
        if noise is None:
            return inputs
        return ops.concatenate(alike(inputs, noise), axis=-1)

    @as_one_program
    def _in_steps(self, inputs, memory, state, mask, training):
        step = self._looking(training, self.inputs_width)
        return run_loop(step, inputs, memory, state, mask)

    def _looking(self, training, width):
        """The step of the loop; while somebody listens it also tells what it saw."""
        watched = bool(self.recorders())

        def step(inputs, memory, state):
            noisy = inputs.shape[-1] != width  # what stands behind the inputs
            more = {"noise": inputs[:, width:]} if noisy else {}

            def ask(*question):
                found = self.attention.step(*question, **more)
                if watched:
                    seen.update(
                        decoder_record.looked(self.attention, question, found, more)
                    )
                return found

            inputs = inputs[:, :width] if noisy else inputs
            seen = decoder_record.before(state) if watched else {}
            return *self.step(inputs, memory, state, training, ask), seen

        return step

    def reports_for(self):
        """The attention inside a loop makes no call of its own."""
        return (self.attention,)

    def attends_after_the_loop(self, state) -> bool:
        """True where no step needs what an earlier one found: then all queries at once.

        So it is with Luong's decoder without input feeding around a mechanism without
        state; the numbers are those of the loop.
        """
        after = self.query == "new_state" and not self.input_feeding
        return after and not state["attention"]

    @as_one_program
    def _cell_alone(self, inputs, states, mask, training):
        """The cell over all inputs: its outputs (B, T, U) and last states, flat."""
        loop = keras.layers.RNN(
            self.cell, return_sequences=True, return_state=True, dtype=self.dtype_policy
        )
        states = packed(self.cell, states)
        hidden, *states = loop(
            inputs, initial_state=states, mask=mask, training=training
        )
        return hidden, keras.tree.flatten(states)

    @outside_the_compiler
    def _after_the_loop(self, inputs, memory, state, mask, training):
        start = decoder_record.joined(state["cell"])[:, None, None]
        hidden, cell_state = self._cell_alone(
            inputs, state["cell"], mask, training=training
        )
        block, seen = decoder_record.listening(self.attention, bool(self.recorders()))
        with block:
            context, weights = self.attention(
                hidden, **memory, query_mask=mask, return_attention_scores=True
            )
        outputs = combined(self, context, hidden)
        if mask is not None:
            real = ops.expand_dims(mask, -1)
            outputs = ops.where(real, outputs, ops.zeros_like(outputs))
        if len(weights.shape) == 3:
            weights = ops.expand_dims(weights, 1)
        state = {"attention": state["attention"], "cell": cell_state}
        extra = {"asked": hidden, "found": context}
        extra = {name: each[:, None] for name, each in extra.items()}
        extra["start"] = start
        shown = ("query", "scores", "context", "mask")
        extra |= {name: seen[name] for name in shown if seen.get(name) is not None}
        return outputs, weights, state, extra | seen.get("extra", {})

    def compute_output_shape(self, inputs_shape, value_shape=None, key_shape=None):
        return (*inputs_shape[:-1], self.output_width)

    def compute_output_spec(self, inputs, value, *args, **options):
        shape = (*inputs.shape[:-1], self.output_width)
        specs = [keras.KerasTensor(shape, dtype=self.compute_dtype)]
        if options.get("return_attention_scores"):
            memory = value.shape[1]
            if memory is not None:
                memory += getattr(self.attention, "own_keys", 0)
            shape, heads = (*inputs.shape[:2], memory), self.attention.num_heads
            if heads > 1:
                shape = (shape[0], heads, *shape[1:])
            specs.append(keras.KerasTensor(shape, dtype=self.compute_dtype))
        if options.get("return_state"):  # its leaves depend on the cell
            traced = traced_spec(self, inputs, value, *args, **options)
            specs.append(traced[-1])
        return specs[0] if len(specs) == 1 else tuple(specs)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "query": self.query,
            "input_feeding": self.input_feeding,
        }
