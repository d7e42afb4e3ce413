"""Keras' own attention layers."""

import keras
import numpy as np

from regard import layers
from regard.convert.weights import array_of, chosen, filled


def from_keras(source, **options):
    """Our layer with the weights of a built attention layer of Keras.

    ``MultiHeadAttention`` becomes ``MultiHeadAttention``, ``GroupQueryAttention``
    becomes ``GroupedQueryAttention``. ``AdditiveAttention``, which has no projections,
    becomes ``AdditiveAttention`` with identities for projections.

    Args:
        source: a ``keras.layers`` ``MultiHeadAttention``, ``GroupQueryAttention`` or
            ``AdditiveAttention``.
        **options: of our layer, beyond those that are read from the source (name,
            scope, normalizer, position).

    Raises:
        ValueError: for another layer, or one that was not built or is quantized.
    """
    if not getattr(source, "built", False):
        raise ValueError("source must be built. Call the layer on data first.")
    return chosen(_CONVERTERS, source, "keras.layers")(source, options)


def multi_head(source, options):
    """``keras.layers.MultiHeadAttention``; the weights have the same shapes."""
    config = source.get_config()
    known = {name: config[name] for name in _HEAD_OPTIONS if name in config}
    layer = layers.MultiHeadAttention(**{**known, **options})
    widths, weights = _widths_and_weights(source)
    rank = len(source._query_dense.equation.split(",")[0])
    return filled(layer, widths, weights, rank)


def grouped_query(source, options):
    """``keras.layers.GroupQueryAttention``; the weights have the same shapes."""
    config = source.get_config()
    known = {name: config[name] for name in _GROUP_OPTIONS if name in config}
    layer = layers.GroupedQueryAttention(**{**known, **options})
    return filled(layer, *_widths_and_weights(source))


def _widths_and_weights(source):
    """Widths of query, value and key, and the projections' weights by path."""
    for name, dense in _parts(source).items():
        if getattr(dense, "quantization_mode", None) is not None:
            raise ValueError(
                "source must not be quantized. Got "
                f"{dense.quantization_mode!r} in {name}. Convert first, then quantize."
            )
    weights = {
        f"{part}/{kind}": array_of(getattr(dense, kind))
        for part, dense in _parts(source).items()
        for kind in ("kernel", "bias")
        if getattr(dense, kind, None) is not None
    }
    names = ("query", "value", "key")
    return tuple(weights[f"{name}/kernel"].shape[0] for name in names), weights


_GROUP_OPTIONS = (
    "name",
    "head_dim",
    "num_query_heads",
    "num_key_value_heads",
    "dropout",
    "use_bias",
    "use_gate",
    "sliding_window",
    "seed",
)
_HEAD_OPTIONS = (
    "name",
    "num_heads",
    "key_dim",
    "value_dim",
    "dropout",
    "use_bias",
    "output_shape",
    "attention_axes",
    "use_gate",
    "sliding_window",
    "seed",
)


def _parts(source):
    """The projections by the names that they have in both packages."""
    attributes = {"attention_output": "output"}
    names = ("query", "key", "value", "gate", "attention_output")
    found = {
        name: getattr(source, f"_{attributes.get(name, name)}_dense", None)
        for name in names
    }
    return {name: dense for name, dense in found.items() if dense is not None}


def additive(source, options):
    """``keras.layers.AdditiveAttention``: v tanh(q + k), v = 1 without a scale."""
    width = source_width(source)
    vector = array_of(source.scale) if source.use_scale else np.ones(width, "float32")
    known = {"units": width, "dropout": source.dropout, "name": source.name}
    layer = layers.AdditiveAttention(**{**known, **options})
    weights = {
        "query_kernel": np.eye(width, dtype="float32"),
        "key_kernel": np.eye(width, dtype="float32"),
        "score_vector": vector,
    }
    return filled(layer, (width,) * 3, weights)


def source_width(source):
    """The width that a layer of Keras was built for."""
    if source.use_scale:
        return int(source.scale.shape[0])
    # A list of shapes, query first, or a dict of one: the width is the same for all.
    return keras.tree.flatten(source.get_build_config())[-1]


_CONVERTERS = {
    "AdditiveAttention": additive,
    "GroupedQueryAttention": grouped_query,  # the class behind GroupQueryAttention
    "MultiHeadAttention": multi_head,
}
