"""What all poolings share: every element is judged, the sum is shared out."""

import keras
from keras import ops

from regard.changing import changes_of
from regard.core import normalizers
from regard.core.attend import Recipe, Visibility, attend
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weight_dropout import drawn_factors, set_dropout


class Pooling(Traceable):
    r"""$c_r = \sum_t a_{rt} h_t,\quad a_r = \mathrm{normalizer}_t(e_{rt})$; abstract.

    A mechanism says how to make its weights (``add_weights``) and how elements are
    judged (``judge``): one number per element and row. Input (B, S, D); output (B, D)
    with one row, (B, R, D) with several; what is all padding gives zeros.

    Call arguments:
        inputs: (B, S, D).
        mask: (B, S), True = real; the inputs' own Keras mask counts too.
        return_attention_scores: also return the weights, (B, S) or (B, R, S).
    """

    rows = 1
    rows_shown = False  # whether output and weights have an axis for rows

    def __init__(self, normalizer="softmax", dropout=0.0, seed=None, **options):
        super().__init__(**options)
        self.normalizer = normalizers.get(normalizer)
        if not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work row by row in a pooling, which has no queries of "
                f"its inputs. Got {self.normalizer!r}, in which queries compete."
            )
        set_dropout(self, dropout, seed)
        self.supports_masking = True

    # What a mechanism fills in -------------------------------------------------------

    def add_weights(self, width: int) -> None:
        """Create the weights for inputs of this width."""
        raise NotImplementedError(f"{type(self).__name__} must define add_weights.")

    def judge(self, inputs, mask):
        """Scores (B, S, R); hidden elements of the inputs are zero already."""
        raise NotImplementedError(f"{type(self).__name__} must define judge.")

    def finish(self, context, inputs, mask):
        """The output, from what was read (B, R, D)."""
        return context if self.rows_shown else context[:, 0]

    def output_width(self, width: int) -> int:
        """The last axis of the output."""
        return width

    # The call ------------------------------------------------------------------------

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        self.add_weights(inputs_shape[-1])
        weights = self.normalizer.build(self, self.rows, inputs_shape[-1])
        self.normalizer_weights = weights
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        inputs, mask = self.checked_inputs(inputs, mask)
        result = self.read(self.judge(inputs, mask), inputs[:, None], mask, training)
        output = self.finish(result["context"][:, :, 0], inputs, mask)
        if return_attention_scores:
            return output, self.shown(result["weights"])
        return output

    def checked_inputs(self, inputs, mask):
        """Inputs with zeros where they are hidden, and every mask in one, or None."""
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        return hide(inputs, mask), mask

    def read(self, scores, value, mask, training):
        """Rows are heads with one query each: (B, S, R), (B, R | 1, S, D) -> a dict."""
        scores = ops.swapaxes(widen(scores), 1, 2)[..., None]  # (B, R, S, 1)
        batch, rows, length, _ = sizes_of(scores)
        visible = {} if mask is None else {"padding": mask[:, None, None, :]}
        weights = tuple(map(ops.convert_to_tensor, self.normalizer_weights))
        keep = drawn_factors(self, (batch, rows, 1, length), training)
        parts = {"normalizer_parameters": weights, "changes": changes_of(self)}
        result = attend(
            # The same query for everyone, even before a sequence of no steps.
            ops.ones_like(ops.sum(scores, axis=2, keepdims=True)),
            scores,
            value,
            Recipe(_key_is_score, self.normalizer, **parts),
            Visibility(visible),
            keep=keep,
            want=("weights", "scores", "mask"),
        )
        for listener in self.recorders():
            listener.receive(self, {**result, "value": value, "masks": visible})
        mixing = result["weights"]
        return {**result, "mixing": mixing if keep is None else mixing * widen(keep)}

    def shown(self, weights):
        """(B, R, 1, S) as it is returned."""
        weights = ops.cast(weights[:, :, 0], self.compute_dtype)
        return weights if self.rows_shown else weights[:, 0]

    # Keras ---------------------------------------------------------------------------

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        shape = (inputs_shape[0], self.output_width(inputs_shape[-1]))
        return (shape[0], self.rows, shape[1]) if self.rows_shown else shape

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        output = self.compute_output_shape(inputs.shape)
        batch, length, _ = inputs.shape
        weights = (batch, self.rows, length) if self.rows_shown else (batch, length)
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _key_is_score(query, key):
    """(B, R, 1, 1) and (B, R, S, 1) -> (B, R, 1, S)."""
    return ops.swapaxes(key, -1, -2) * query
