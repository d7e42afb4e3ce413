"""Which past steps matter for the forecast: the second stage of DA-RNN."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.additive_attention import AdditiveAttention
from regard.layers.decoder_loop import answered, run_loop
from regard.layers.exporting import check_loop
from regard.layers.inputs import check_sequences
from regard.layers.programs import as_one_program
from regard.layers.series.input_attention import lstm_cell, of_a_look
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class TemporalAttention(Adaptable, Traceable):
    r"""$l_t^i = v^\top \tanh(W [d_{t-1}; s_{t-1}] + U h_i),\quad
    c_t = \sum_i \beta_t^i h_i,\quad \tilde y_t = w^\top [y_t; c_t] + b,\quad
    d_t = \mathrm{LSTM}(\tilde y_t)$.

    ``y`` (B, T, E) is the history of what is forecast, without the value to come, ``h``
    (B, S, D) the encoder's states, usually ``InputAttention``'s. Both states of the
    LSTM ask, and history and context become one number before they enter it. Output
    $[d_t; c_t]$ (B, T, units + D): a layer on its last step is the forecast. Weights
    (B, T, S).

    Qin et al. 2017, "A dual-stage attention-based recurrent neural network for time
    series prediction", arXiv:1704.02971.

    Args:
        units: of the LSTM, p in the paper.
        attention_units: width of the comparison, by default that of the states D.
        normalizer: over the steps.

    Call arguments:
        inputs: (B, T, E); value: (B, S, D); value_mask: (B, S), True = real.
        return_attention_scores: also return the weights.

    Raises:
        ValueError: where a size is not a positive integer or a width unknown.
    """

    mechanism = "temporal_attention"

    def __init__(self, units, attention_units=None, normalizer="softmax", **options):
        super().__init__(**options)
        self.units = check_units("units", units)
        if attention_units is not None:
            attention_units = check_units("attention_units", attention_units)
        self.attention_units = attention_units
        self.normalizer = normalizers.get(normalizer)
        self.cell = lstm_cell(self.units, self.dtype_policy)
        self.joining = keras.layers.Dense(1, name="joining", dtype=self.dtype_policy)

    def build(self, inputs_shape, value_shape):
        check_sequences(inputs=inputs_shape, value=value_shape)
        width = value_shape[-1]
        self.attention = AdditiveAttention(
            self.attention_units or width,
            normalizer=self.normalizer,
            name="attention",
            dtype=self.dtype_policy,
        )
        self.attention.build((None, None, 2 * self.units), (None, None, width))
        self.joining.build((None, inputs_shape[-1] + width))
        self.cell.build((None, 1))
        self.width = width
        self.built = True

    def call(self, inputs, value, value_mask=None, return_attention_scores=False):
        batch, length = sizes_of(inputs)[:2]
        check_loop(self, length)
        memory = self.attention.prepare(value, value_mask=value_mask)
        state = [ops.zeros((batch, self.units), inputs.dtype) for _ in range(2)]
        watched = bool(self.recorders())
        results = self._in_steps(inputs, memory, state, watched=watched)
        outputs, weights, _, found = results
        seen = ops.cast(memory["mask"], "bool")[:, None, None, :]
        found |= {name: memory[name] for name in ("key", "value")}
        found |= {"mask": ops.broadcast_to(seen, ops.shape(weights))}
        found["masks"] = {"padding": seen}
        return answered(self, outputs, weights, return_attention_scores, **found)

    @as_one_program
    def _in_steps(self, inputs, memory, state, watched):
        def step(each, memory, state):
            hidden, carry = state
            asking = ops.concatenate([hidden, carry], axis=-1)
            context, weights, _ = self.attention.step(asking, memory, {})
            context = ops.cast(context, each.dtype)
            read = self.joining(ops.concatenate([each, context], axis=-1))
            output, state = self.cell(read, state)
            output = ops.concatenate([output, ops.cast(context, output.dtype)], -1)
            shown = of_a_look(self.attention, asking, memory) if watched else {}
            return output, weights, list(state), shown

        return run_loop(step, inputs, memory, state)

    def reports_for(self):
        """The attention inside a loop makes no call of its own."""
        return (self.attention,)

    def compute_output_shape(self, inputs_shape, value_shape=None):
        return (*inputs_shape[:-1], self.units + self.width)

    def compute_output_spec(self, inputs, value, *args, **options):
        output = self.compute_output_shape(inputs.shape)
        weights = (*inputs.shape[:2], value.shape[1])
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "attention_units": self.attention_units,
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
        }
