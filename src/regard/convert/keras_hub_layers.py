"""KerasHub's attention layers."""

from regard.convert.keras_layers import multi_head
from regard.convert.weights import chosen


def from_keras_hub(source, **options):
    """Our ``MultiHeadAttention`` with the weights of a ``CachedMultiHeadAttention``.

    The cache is not part of the layer: ours is an argument and a result, see
    ``regard.layers.Attention``.

    Args:
        source: a built ``keras_hub.layers.CachedMultiHeadAttention``.
        **options: of our layer, beyond those that are read from the source.

    Raises:
        ValueError: for another layer, or one that was not built.
    """
    if not getattr(source, "built", False):
        raise ValueError("source must be built. Call the layer on data first.")
    converters = {"CachedMultiHeadAttention": multi_head}
    return chosen(converters, source, "keras_hub.layers")(source, options)
