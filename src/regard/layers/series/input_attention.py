"""Which of many driving series matter now: the first stage of DA-RNN."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.shapes import sizes_of
from regard.layers.additive_attention import AdditiveAttention
from regard.layers.decoder_loop import answered, run_loop
from regard.layers.programs import as_one_program
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class InputAttention(Traceable):
    r"""$e_t^k = v^\top \tanh(W [h_{t-1}; s_{t-1}] + U x^k),\quad
    \tilde x_t = (\alpha_t^1 x_t^1, \dots, \alpha_t^n x_t^n),\quad
    h_t = \mathrm{LSTM}(\tilde x_t)$.

    $x^k$ is the whole course of driving series k, so at every step the state of the
    recurrent layer judges series by their shape, and reads the present values of all,
    weighed. Input (B, T, n) with T known when the layer is built, output (B, T, units),
    weights (B, T, n).

    Qin et al. 2017, "A dual-stage attention-based recurrent neural network for time
    series prediction", arXiv:1704.02971.

    Args:
        units: of the LSTM, m in the paper.
        attention_units: width of the comparison, by default T as in the paper.
        normalizer: over the series.

    Raises:
        ValueError: where the number of steps or series is unknown.
    """

    mechanism = "input_attention"

    def __init__(self, units, attention_units=None, normalizer="softmax", **options):
        super().__init__(**options)
        self.units = check_units("units", units)
        if attention_units is not None:
            attention_units = check_units("attention_units", attention_units)
        self.attention_units = attention_units
        self.cell = lstm_cell(self.units, self.dtype_policy)
        self.normalizer = normalizers.get(normalizer)

    def build(self, inputs_shape):
        _, steps, series = inputs_shape
        if steps is None or series is None:
            raise ValueError(
                "inputs must have a known number of steps and series, because series "
                f"are compared as a whole. Got {tuple(inputs_shape)}."
            )
        self.steps = steps
        self.attention = AdditiveAttention(
            self.attention_units or steps,
            normalizer=self.normalizer,
            name="attention",
            dtype=self.dtype_policy,
        )
        self.attention.build((None, None, 2 * self.units), (None, series, steps))
        self.cell.build((None, series))
        self.built = True

    def call(self, inputs, return_attention_scores=False):
        if inputs.shape[1] is not None and inputs.shape[1] != self.steps:
            raise ValueError(
                f"inputs must have {self.steps} steps, as when the layer was built. "
                f"Got {inputs.shape[1]}."
            )
        batch, length, series = sizes_of(inputs)
        memory = self.attention.prepare(ops.swapaxes(inputs, 1, 2))
        state = [ops.zeros((batch, self.units), inputs.dtype) for _ in range(2)]
        watched = bool(self.recorders())
        results = self._in_steps(inputs, memory, state, watched=watched)
        outputs, weights, _, found = results
        # The loop leaves the number of series open; the layer knows it.
        weights = ops.reshape(weights, (batch, 1, length, series))
        found.pop("context", None)  # the series are weighed, and not added up
        found["key"] = memory["key"]
        return answered(self, outputs, weights, return_attention_scores, **found)

    @as_one_program
    def _in_steps(self, inputs, memory, state, watched):
        def step(each, memory, state):
            hidden, carry = state
            asking = ops.concatenate([hidden, carry], axis=-1)
            _, weights, _ = self.attention.step(asking, memory, {})
            read = each * ops.cast(weights[:, 0], each.dtype)
            output, state = self.cell(read, state)
            shown = of_a_look(self.attention, asking, memory) if watched else {}
            return output, weights, list(state), shown

        return run_loop(step, inputs, memory, state)

    def reports_for(self):
        """The attention inside a loop makes no call of its own."""
        return (self.attention,)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.units)

    def compute_output_spec(self, inputs, return_attention_scores=False):
        output = self.compute_output_shape(inputs.shape)
        return spec_of_answer(self, return_attention_scores, output, inputs.shape)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "attention_units": self.attention_units,
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
        }


def of_a_look(attention, asking, memory):
    """What a trace shows of one step besides its weights, each (B, 1, n)."""
    found = attention.extra(asking, memory, {})
    return {name: found[name] for name in ("query", "scores", "context")}


def lstm_cell(units, dtype, name="cell"):
    """Keras' cell, started without the QR that torch lacks in half precision."""
    return keras.layers.LSTMCell(
        units, recurrent_initializer="glorot_uniform", name=name, dtype=dtype
    )
