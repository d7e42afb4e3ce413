"""Double attention: gather a few summaries of the image, then hand them out."""

import keras
from keras import ops

from regard.core.normalizers import Softmax
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.images.image_layer import ImageLayer
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class DoubleAttention(ImageLayer):
    r"""$y_i = W_o \sum_k v_{ik} \sum_j b_{kj}\, W_a x_j$ with
    $b_k = \mathrm{softmax}_j(W_b x_j)_k$ and $v_i = \mathrm{softmax}_k(W_v x_i)$.

    First every one of ``slots`` summaries k gathers features from all pixels j, then
    every pixel i takes its mixture of the summaries: two softmaxes in place of one over
    all pairs. ``values`` ($W_a$, C to units), ``gather`` ($W_b$, C to slots),
    ``spread`` ($W_v$, C to slots) and ``attention_output`` (units to C). Image
    (B, H, W, C) in, the same out; no residual. The weights $v b$ (B, H·W, H·W) are
    nowhere formed unless asked for. A mask (B, H, W) hides pixels.

    Chen, Kalantidis, Li, Yan, Feng 2018, "A2-Nets: double attention networks",
    arXiv:1810.11579.

    Args:
        units: width of a summary.
        slots: number of summaries.
        use_bias: of the four projections.
        project: project back to the channels; otherwise the output has ``units``.
        **options: data_format; kernel_ initializer, regularizer, constraint; the
            options of every layer.

    Raises:
        ValueError: where the input is no image, or an option is wrong.
    """

    mechanism = "double_attention"

    def __init__(self, units, slots, use_bias=True, project=True, **options):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.slots = check_units("slots", slots)
        self.use_bias, self.project = bool(use_bias), bool(project)

    def add_weights(self, channels):
        biased = self.use_bias
        self.values = self.dense("values", channels, self.units, biased)
        self.gather = self.dense("gather", channels, self.slots, biased)
        self.spread = self.dense("spread", channels, self.slots, biased)
        if self.project:
            self.output_dense = self.dense(
                "attention_output", self.units, channels, biased
            )

    def attended(self, image, mask, wanted):
        batch, height, width, channels = sizes_of(image)
        pixels = ops.reshape(image, (batch, height * width, channels))
        if mask is not None:
            mask = ops.reshape(mask, (batch, 1, height * width))
        logits = ops.swapaxes(widen(self.gather(pixels)), 1, 2)  # (B, slots, N)
        if mask is not None:
            mask = ops.broadcast_to(mask, ops.shape(logits))
        gathering = Softmax()(logits, mask)
        spreading = Softmax()(widen(self.spread(pixels)))  # (B, N, slots)
        values = self.values(pixels)
        summaries = ops.matmul(ops.cast(gathering, values.dtype), values)
        context = ops.matmul(ops.cast(spreading, values.dtype), summaries)
        output = self.output_dense(context) if self.project else context
        output = ops.reshape(output, (batch, height, width, output.shape[-1]))
        found = {"value": values[:, None], "context": context[:, None]}
        if wanted:
            found["extra"] = {"gathering": gathering, "spreading": spreading}
            found["weights"] = ops.matmul(spreading, gathering)[:, None]
        return output, found

    def compute_output_shape(self, inputs_shape):
        if self.project:
            return tuple(inputs_shape)
        batch, height, width, _ = self._last(inputs_shape)
        if self.data_format == "channels_first":
            return (batch, self.units, height, width)
        return (batch, height, width, self.units)

    def weights_shape(self, shape):
        batch, height, width, _ = shape
        pixels = None if None in (height, width) else height * width
        return (batch, pixels, pixels)

    def as_shown(self, found):
        return found["weights"][:, 0]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "slots": self.slots,
            "use_bias": self.use_bias,
            "project": self.project,
        }
