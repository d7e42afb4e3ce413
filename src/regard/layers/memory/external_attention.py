"""External attention: a learned memory that all inputs share."""

import keras
from keras import ops

from regard.core.normalizers import Softmax
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units, check_units_or_none


@keras.saving.register_keras_serializable("regard")
class ExternalAttention(Traceable):
    r"""$y = A M_v,\quad A = \mathrm{rows}\big(\mathrm{softmax}_t(x M_k)\big)$.

    Every slot first shares itself out over the tokens (softmax over the length, within
    an example), then the weights of a token are divided by their sum. ``M_k``
    (D, slots) and ``M_v`` (slots, D) are learned, so examples meet in them alone and
    the cost grows with the length, not its square. Input and output (B, S, D), weights
    (B, S, slots). Hidden tokens take no share, and give zeros.

    Guo, Liu, Mu, Hu 2021, "Beyond self-attention: external attention using two linear
    layers for visual tasks", arXiv:2105.02358.

    Args:
        slots: S of the paper, the size of the memory.
        output_size: width of the output, by default that of the input.
        kernel_initializer, kernel_regularizer, kernel_constraint: of both memories.

    Raises:
        ValueError: where slots is not a positive integer, or the input is not (batch,
            length, width).
    """

    mechanism = "external"

    def __init__(
        self,
        slots,
        output_size=None,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.slots = check_units("slots", slots)
        self.output_size = check_units_or_none("output_size", output_size)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )
        self.supports_masking = True

    def build(self, inputs_shape):
        if len(inputs_shape) != 3 or inputs_shape[-1] is None:
            raise ValueError(
                "inputs must have shape (batch, length, width) with a known width. "
                f"Got {tuple(inputs_shape)}. Make of an image (batch, pixels, width)."
            )
        kernel, width = self.weight_options.for_kernel, inputs_shape[-1]
        self.key_kernel = self.add_weight(
            (width, self.slots), name="key_kernel", **kernel()
        )
        self.value_kernel = self.add_weight(
            (self.slots, self.output_size or width), name="value_kernel", **kernel()
        )
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False):
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        inputs = hide(inputs, mask)
        scores = widen(ops.matmul(inputs, self.key_kernel))  # (B, S, N)
        seen = None if mask is None else ops.expand_dims(mask, 1)
        shares = Softmax()(ops.swapaxes(scores, 1, 2), seen)
        shares = ops.swapaxes(shares, 1, 2)
        total = ops.sum(shares, axis=-1, keepdims=True)
        weights = shares / ops.where(total == 0, ops.ones_like(total), total)
        output = ops.matmul(ops.cast(weights, self.compute_dtype), self.value_kernel)
        masks = {} if mask is None else {"query": mask[:, None, :, None]}
        for listener in self.recorders():
            slots = ops.convert_to_tensor(self.value_kernel)[None, None]
            listener.receive(
                self,
                {
                    "scores": scores[:, None],
                    "weights": weights[:, None],
                    "value": slots,
                    "context": output[:, None],
                    "masks": masks,
                    "extra": {"shares": shares},
                },
            )
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.output_size or inputs_shape[-1])

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        output = self.compute_output_shape(inputs.shape)
        weights = (*inputs.shape[:-1], self.slots)
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "slots": self.slots,
            "output_size": self.output_size,
            **self.weight_options.config(),
        }
