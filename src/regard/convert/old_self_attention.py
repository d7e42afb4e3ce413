"""keras-self-attention, whose layers and files no longer load."""

from regard.compat import keras_self_attention
from regard.convert.weights import array_of


def from_keras_self_attention(config, weights, width, **options):
    """Our stand-in with the weights of a layer of keras-self-attention.

    The package does not import under Keras 3, so its layer comes as what a model file
    holds: the configuration and the list of weights.

    Args:
        config: of the layer, from ``get_config()`` or the file's ``model_config``; the
            key ``class_name`` names the class, by default ``SeqSelfAttention``.
        weights: the arrays of ``get_weights()``, in the layer's order.
        width: D of the inputs.
        **options: ``faithful=True`` brings the package's defects back.

    Raises:
        ValueError: for an unknown class, or weights of other shapes.
    """
    config = dict(config)
    name = config.pop("class_name", "SeqSelfAttention")
    config = dict(config.pop("config", config))
    if name not in keras_self_attention.__all__:
        raise ValueError(
            f"class_name must be one of {', '.join(keras_self_attention.__all__)}. Got "
            f"{name!r}."
        )
    made = getattr(keras_self_attention, name)
    kept = {k: v for k, v in config.items() if k not in _OF_OLD_KERAS}
    layer = made(**{**kept, **options})
    layer.build((None, None, width))
    expected = [tuple(w.shape) for w in layer.weights]
    arrays = [array_of(each) for each in weights]
    if [each.shape for each in arrays] != expected:
        raise ValueError(
            f"weights must have shapes {expected}. Got "
            f"{[each.shape for each in arrays]}."
        )
    layer.set_weights(arrays)
    return layer


# Configuration of Keras 2 that means nothing any more.
_OF_OLD_KERAS = ("batch_input_shape", "dtype")
