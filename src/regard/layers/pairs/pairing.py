"""What layers share in which two inputs look at each other."""

import keras
from keras import ops

from regard.core import normalizers
from regard.core.attend import Recipe, Visibility, attend
from regard.core.scores import dot
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import check_sequences, checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, fresh


class Pairing(Adaptable, Traceable):
    """Two sequences in, each with a mask of its own; abstract.

    A mechanism says how to make its weights (``add_weights``), what comes out
    (``pair``) and how wide it is (``output_shape``).

    Call arguments:
        query: (B, T, Dq), value: (B, S, Dv).
        query_mask, value_mask: (B, T), (B, S), True = real; the inputs' own Keras masks
            count too.
        return_attention_scores: also return the weights.
    """

    query_shown = True  # whether the weights have an axis for the query

    def __init__(
        self,
        normalizer="softmax",
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.normalizer = normalizers.get(normalizer)
        if self.normalizer.has_weights or not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work on one row and hold no weights, because both "
                f"sides use it. Got {self.normalizer!r}."
            )
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )
        self.supports_masking = True

    # What a mechanism fills in -------------------------------------------------------

    def add_weights(self, query_width: int, value_width: int) -> None:
        """Create the weights."""
        raise NotImplementedError(f"{type(self).__name__} must define add_weights.")

    def pair(self, query, value, query_mask, value_mask):
        """Output, weights and, for a trace, a dict of tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define pair.")

    def output_shape(self, query_shape, value_shape) -> tuple:
        """The shape of the output."""
        raise NotImplementedError(f"{type(self).__name__} must define output_shape.")

    # The call ------------------------------------------------------------------------

    def build(self, query_shape, value_shape):
        check_sequences(query=query_shape, value=value_shape)
        self.add_weights(query_shape[-1], value_shape[-1])
        self.built = True

    def kernel_of(self, name, shape):
        """A kernel with the layer's options."""
        return self.add_weight(shape, name=name, **self.weight_options.for_kernel())

    def dense_of(self, name, width, units, activation=None):
        """A built Dense layer with the layer's options."""
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        dense = keras.layers.Dense(
            units, activation, name=name, dtype=self.dtype_policy, **options
        )
        dense.build((None, None, width))
        return dense

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        query, query_mask = _real(query, query_mask, "query_mask")
        value, value_mask = _real(value, value_mask, "value_mask")
        output, weights, record = self.pair(query, value, query_mask, value_mask)
        for listener in self.recorders():
            listener.receive(self, record)
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def look(self, query, key, value, query_mask, key_mask):
        """Dot products (B, T, D) with (B, S, D): context, weights, and all the rest."""
        masks = {}
        if query_mask is not None:
            masks["query"] = query_mask[:, None, :, None]
        if key_mask is not None:
            masks["padding"] = key_mask[:, None, None, :]
        tensors = {
            "query": query[:, None],
            "key": key[:, None],
            "value": value[:, None],
        }
        result = attend(
            *tensors.values(),
            Recipe(dot, self.normalizer),
            Visibility(masks),
            want=("weights", "scores", "mask"),
        )
        record = {**tensors, **result, "masks": masks}
        return result["context"][:, 0], result["weights"][:, 0], record

    # Keras ---------------------------------------------------------------------------

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, query_shape, value_shape):
        return self.output_shape(tuple(query_shape), tuple(value_shape))

    def compute_output_spec(self, query, value, *args, **options):
        output = self.output_shape(tuple(query.shape), tuple(value.shape))
        rows = query.shape[:2] if self.query_shown else query.shape[:1]
        weights = (*rows, value.shape[1])
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            **self.weight_options.config(),
        }


def _real(inputs, mask, name):
    """Zeros where the inputs are hidden, and every mask in one, or None."""
    mask = checked(join(mask, get_keras_mask(inputs)), name, *sizes_of(inputs)[:2])
    return hide(inputs, mask), mask
