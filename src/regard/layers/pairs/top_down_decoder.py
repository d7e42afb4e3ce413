"""Bottom-up and top-down attention: describing the regions of a picture."""

from functools import reduce

import keras
from keras import ops

from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.additive_attention import AdditiveAttention
from regard.layers.decoder_loop import answered, run_loop
from regard.layers.exporting import check_loop
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import computing_in, get_keras_mask
from regard.layers.programs import as_one_program
from regard.layers.series.input_attention import lstm_cell
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class TopDownDecoder(Traceable):
    r"""$h^1_t = \mathrm{LSTM}_1([h^2_{t-1}; \bar v; x_t]),\quad
    c_t = \mathrm{attention}(h^1_t, v),\quad
    h^2_t = \mathrm{LSTM}_2([c_t; h^1_t])$.

    The regions ``v`` (B, S, D) come from below, found by a detector; the first LSTM,
    which knows the mean region, the word before and what was last said, looks at them
    from above, and the second speaks. The attention is additive. Inputs ``x`` (B, T, E)
    are embeddings of the words before, output $h^2$ (B, T, units), weights (B, T, S).

    One ``step`` serves training and search, as in ``AttentionDecoder``.

    Anderson et al. 2018, "Bottom-up and top-down attention for image captioning and
    visual question answering", arXiv:1707.07998.

    Args:
        units: of both LSTMs.
        attention_units: width of the comparison.
        normalizer: over the regions.

    Call arguments:
        inputs: (B, T, E); value: (B, S, D); value_mask: (B, S), True = real.
        inputs_mask: (B, T), True = real; a padded step changes no state and gives 0.
        return_attention_scores: also return the weights.

    Raises:
        ValueError: where a size is not a positive integer or a width unknown.
    """

    mechanism = "top_down"
    num_heads = 1

    def __init__(self, units, attention_units, normalizer="softmax", **options):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.attention = AdditiveAttention(
            check_units("attention_units", attention_units),
            normalizer=normalizer,
            name="attention",
            dtype=self.dtype_policy,
        )
        policy = self.dtype_policy
        self.attention_cell = lstm_cell(self.units, policy, "attention_cell")
        self.language_cell = lstm_cell(self.units, policy, "language_cell")
        self.supports_masking = True

    def build(self, inputs_shape, value_shape):
        check_sequences(inputs=inputs_shape, value=value_shape)
        width = value_shape[-1]
        self.attention.build((None, None, self.units), value_shape)
        self.attention_cell.build((None, self.units + width + inputs_shape[-1]))
        self.language_cell.build((None, width + self.units))
        self.built = True

    def prepare(self, value, key=None, value_mask=None):
        """The regions, projected once: a dict of tensors, batch first."""
        return self.attention.prepare(value, key, value_mask)

    def initial_state(self, memory):
        """Zeros for both cells: a dict, every leaf batch first."""
        batch = ops.shape(memory["mask"])[0]
        return {n: ops.zeros((batch, self.units), self.compute_dtype) for n in _STATES}

    def step(self, inputs, memory, state):
        """One word (B, E): output (B, units), weights (B, H, S), state; pure."""
        kind = self.compute_dtype
        with computing_in(self):
            state = {name: ops.cast(each, kind) for name, each in state.items()}
            read = [state["hidden"], mean_of(memory, kind), ops.cast(inputs, kind)]
            own = [state["attention_hidden"], state["attention_carry"]]
            asking, own = self.attention_cell(ops.concatenate(read, -1), own)
        context, weights, _ = self.attention.step(asking, memory, {})
        with computing_in(self):
            read = ops.concatenate([ops.cast(context, kind), asking], axis=-1)
            said = [state["hidden"], state["carry"]]
            output, said = self.language_cell(read, said)
        return output, weights, dict(zip(_STATES, [*own, *said], strict=True))

    def call(
        self,
        inputs,
        value,
        key=None,
        value_mask=None,
        inputs_mask=None,
        return_attention_scores=False,
    ):
        batch, length = sizes_of(inputs)[:2]
        check_loop(self, length)
        mask = join(inputs_mask, get_keras_mask(inputs))
        mask = checked(mask, "inputs_mask", batch, length)
        memory = self.prepare(value, key, value_mask)
        state, shown = self.initial_state(memory), bool(self.recorders())
        inputs = hide(inputs, mask)
        looped = self._in_steps(inputs, memory, state, mask, watched=shown)
        outputs, weights, _, extra = looped
        masks = {"padding": ops.cast(memory["mask"], "bool")[:, None, None]}
        if mask is not None:
            masks["query"] = mask[:, None, :, None]
        seen = reduce(ops.logical_and, masks.values())
        record = {"value": memory["value"], "mask": seen, "masks": masks}
        asked = return_attention_scores
        return answered(self, outputs, weights, asked, extra=extra, **record)

    @as_one_program
    def _in_steps(self, inputs, memory, state, mask, watched):
        def step(each, memory, state):
            output, weights, after = self.step(each, memory, state)
            states = [state[name] for name in _STATES]
            extra = {"entering": states, "asker": [after["attention_hidden"]]}
            extra = {n: ops.concatenate(e, -1)[:, None] for n, e in extra.items()}
            return output, weights, after, extra if watched else {}

        return run_loop(step, inputs, memory, state, mask)

    def reports_for(self):
        """The attention inside a loop makes no call of its own."""
        return (self.attention,)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape, value_shape=None):
        return (*inputs_shape[:-1], self.units)

    def compute_output_spec(self, inputs, value, *args, **options):
        output = (*inputs.shape[:-1], self.units)
        weights = (*inputs.shape[:2], value.shape[1])
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        normalizer = self.attention.normalizer
        return {
            **super().get_config(),
            "units": self.units,
            "attention_units": self.attention.units,
            "normalizer": keras.saving.serialize_keras_object(normalizer),
        }


def mean_of(memory, kind):
    """The mean of the real regions (B, D), zero where there is none."""
    real = ops.cast(ops.cast(memory["mask"], "bool"), "float32")
    count = ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
    share = ops.expand_dims(real / count, 1)  # (B, 1, S)
    return ops.cast(ops.matmul(share, widen(memory["value"][:, 0]))[:, 0], kind)


_STATES = ("attention_hidden", "attention_carry", "hidden", "carry")
