"""Deformable attention: each query reads a few places that it chooses itself."""

import math

import keras
import numpy as np
from keras import ops

from regard.core import normalizers
from regard.core.sampling import deformable
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.images.image_layer import KERNEL_OPTIONS, seen_pixels
from regard.layers.inputs import by_cause, checked, hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units, check_units_or_none, fresh


@keras.saving.register_keras_serializable("regard")
class DeformableAttention(Adaptable, Traceable):
    r"""$y_i = \sum_h W_h \sum_{lk} a_{ihlk}\, W'_h\, x_l(p_i + \Delta p_{ihlk})$.

    Offsets $\Delta p$ (in pixels of level l) and weights $a = \mathrm{normalizer}(A
    q_i)$ over all places of a head come from the query alone: there are no keys, and
    the cost does not depend on the size of the images. Places between pixels are read
    bilinearly, zeros beyond the border.

    Call with query (B, T, D), value (B, H, W, C) or a list of ``levels`` such images,
    and reference_points in [0, 1] as (x, y): (B, T, 2) for all levels or (B, T, L, 2).
    With (x, y, width, height) offsets are measured in halves of the box, over
    ``points``. ``value_mask`` (B, H, W), or a list, hides pixels; a query that
    ``query_mask`` (B, T) hides reads nothing. Implicit Keras masks are honoured too,
    and that of the query reaches the output. Output (B, T, D); weights (B, heads, T,
    L*points).

    Zhu, Su, Lu, Li, Wang, Dai 2020, "Deformable DETR: deformable transformers for
    end-to-end object detection", arXiv:2010.04159, section 4.1. Offsets start on a ring
    around the reference point, weights start equal.

    Args:
        num_heads, points, levels: heads, places per head and level, images.
        value_dim: width of a head, by default D / num_heads.
        normalizer: over the places of a head.
        align_corners: False where 0 and 1 are the outer edges of the image, as in the
            paper's code; True where they are the centres of the outer pixels.
        **options: kernel_ initializer, regularizer, constraint of the projections of
            values and output; the options of every layer.

    Raises:
        ValueError: where inputs do not fit, or an option is wrong.
    """

    mechanism = "deformable"

    def __init__(
        self,
        num_heads=8,
        points=4,
        levels=1,
        value_dim=None,
        normalizer="softmax",
        align_corners=False,
        **options,
    ):
        named = {name: options.pop(name, _DEFAULTS[name]) for name in KERNEL_OPTIONS}
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.points = check_units("points", points)
        self.levels = check_units("levels", levels)
        self.value_dim = check_units_or_none("value_dim", value_dim)
        self.normalizer = normalizers.get(normalizer)
        if not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work row by row: queries choose apart. Got "
                f"{self.normalizer!r}."
            )
        self.align_corners = bool(align_corners)
        self.weight_options = WeightOptions(**named)
        self.supports_masking = True

    def build(self, query_shape, value_shape, reference_points_shape=None):
        shapes = as_list(value_shape, 4)
        if len(query_shape) != 3 or any(len(each) != 4 for each in shapes):
            raise ValueError(
                "query must have shape (batch, length, width) and value (batch, height,"
                f" width, channels). Got {query_shape} and {value_shape}."
            )
        self._check_levels(shapes)
        width, heads = query_shape[-1], self.num_heads
        if self.value_dim is None and width % heads:
            raise ValueError(
                f"the width of the query must be divisible by num_heads={heads}, or "
                f"value_dim given. Got {width}."
            )
        size = self.value_dim or width // heads
        self.value_dense = self._dense("value", shapes[0][-1], heads * size)
        self.output_dense = self._dense("attention_output", heads * size, width)
        places = heads * self.levels * self.points
        self.offset_map = self.add_weight(
            (width, 2 * places), name="offset_map", initializer="zeros"
        )
        self.offset_bias = self.add_weight(
            (2 * places,), name="offset_bias", initializer=self._ring
        )
        self.weight_map = self.add_weight(
            (width, places), name="weight_map", initializer="zeros"
        )
        self.weight_bias = self.add_weight(
            (places,), name="weight_bias", initializer="zeros"
        )
        self.normalizer_weights = self.normalizer.build(self, heads, width)
        self.built = True

    def _dense(self, name, width, units):
        options = {k: fresh(v) for k, v in self.weight_options.options.items()}
        layer = keras.layers.Dense(units, name=name, dtype=self.dtype_policy, **options)
        layer.build((None, width))
        return layer

    def _ring(self, shape, dtype=None):
        """Each head looks in a direction of its own, point k at k steps."""
        angles = np.arange(self.num_heads) * (2 * math.pi / self.num_heads)
        ways = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        ways = ways / np.abs(ways).max(axis=-1, keepdims=True)  # on a square
        steps = np.arange(1, self.points + 1)
        ring = np.broadcast_to(
            ways[:, None, None] * steps[:, None],
            (self.num_heads, self.levels, self.points, 2),
        )
        return ops.convert_to_tensor(ring.reshape(shape).astype("float32"), dtype)

    def _check_levels(self, images):
        if len(images) != self.levels:
            raise ValueError(
                f"value must be a list of levels={self.levels} images. Got "
                f"{len(images)}."
            )

    def call(
        self,
        query,
        value,
        reference_points,
        value_mask=None,
        return_attention_scores=False,
        query_mask=None,
    ):
        batch, queries = sizes_of(query)[:2]
        query_mask = join(query_mask, get_keras_mask(query))
        query_mask = checked(query_mask, "query_mask", batch, queries)
        query = hide(query, query_mask)
        parts = by_cause(query_mask, None)
        images = value if isinstance(value, (list, tuple)) else [value]
        self._check_levels(images)
        masks = as_list(value_mask, 3)
        masks = [*masks, *[None] * (len(images) - len(masks))]
        sizes = [sizes_of(each)[1:3] for each in images]
        levels = [
            self._projected(each, mask)
            for each, mask in zip(images, masks, strict=True)
        ]
        scores, weights = self._weights(query, parts.get("query"))
        places = self._places(query, reference_points, sizes)
        shape = (batch, queries, self.num_heads, self.levels, self.points)
        context = deformable(
            levels,
            places,
            ops.reshape(ops.swapaxes(weights, 1, 2), shape),
            self.align_corners,
        )
        size, read = levels[0].shape[-1], context
        context = ops.reshape(context, (batch, queries, self.num_heads * size))
        output = self.output_dense(ops.cast(context, self.compute_dtype))
        if query_mask is not None:
            set_keras_mask(output, query_mask)
        for listener in self.recorders():
            images = {f"level_{n}": each for n, each in enumerate(levels)}
            extra = {"places": places, **images}
            found = {"scores": scores, "weights": weights, "extra": extra}
            if parts:
                shape = sizes_of(weights)
                found |= {
                    "masks": parts,
                    "mask": ops.broadcast_to(parts["query"], shape),
                }
            found["context"] = ops.swapaxes(read, 1, 2)
            listener.receive(self, found)
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def _projected(self, image, mask):
        """(B, H, W, C) -> (B, H, W, heads, D), hidden pixels zero."""
        mask = get_keras_mask(image) if mask is None else mask
        mask = seen_pixels(mask, image)
        values = hide(self.value_dense(hide(image, mask)), mask)
        batch, height, width, total = sizes_of(values)
        heads = self.num_heads
        return ops.reshape(values, (batch, height, width, heads, total // heads))

    def _weights(self, query, mask):
        """Scores and weights (B, heads, T, L*K)."""
        batch, queries, _ = sizes_of(query)
        logits = widen(ops.matmul(query, self.weight_map) + self.weight_bias)
        shape = (batch, queries, self.num_heads, self.levels * self.points)
        logits = ops.swapaxes(ops.reshape(logits, shape), 1, 2)
        found = map(ops.convert_to_tensor, self.normalizer_weights)
        return logits, self.normalizer(logits, mask, *found)

    def _places(self, query, references, sizes):
        """(B, T, heads, L, K, 2) in units of the images."""
        batch, queries, _ = sizes_of(query)
        offsets = widen(ops.matmul(query, self.offset_map) + self.offset_bias)
        shape = (batch, queries, self.num_heads, self.levels, self.points, 2)
        offsets = ops.reshape(offsets, shape)
        references = widen(references)
        if len(references.shape) == 3:
            references = ops.expand_dims(references, 2)
        references = references[:, :, None, :, None]  # (B, T, 1, L|1, 1, 2|4)
        if references.shape[-1] == 4:
            unit = references[..., 2:] * (0.5 / self.points)
        else:
            pixels = ops.stack([ops.stack([w, h]) for h, w in sizes])
            unit = 1 / ops.cast(pixels, offsets.dtype)[None, None, None, :, None]
        return references[..., :2] + offsets * unit

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(
        self, query_shape, value_shape=None, reference_points_shape=None
    ):
        return tuple(query_shape)

    def compute_output_spec(self, query, value, reference_points, **kwargs):
        output = query.shape
        places = self.levels * self.points
        weights = (query.shape[0], self.num_heads, query.shape[1], places)
        asked = kwargs.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "points": self.points,
            "levels": self.levels,
            "value_dim": self.value_dim,
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "align_corners": self.align_corners,
            **self.weight_options.config(),
        }


_DEFAULTS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}


def as_list(given, rank):
    """One shape or tensor of this rank, or a list of them, as a list."""
    if given is None:
        return []
    if hasattr(given, "shape"):
        return [given]
    single = len(given) == rank and not any(
        hasattr(each, "shape") or isinstance(each, (list, tuple)) for each in given
    )
    return [given] if single else list(given)
