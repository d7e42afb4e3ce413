"""Attention blocks of Hugging Face's transformers."""

import math

from regard import layers
from regard.convert.weights import array_of, chosen, filled, join_heads, split_heads
from regard.core import positions


def from_transformers(source, **options):
    """Our layer with the weights of an attention block of ``transformers``.

    ``T5Attention`` becomes ``MultiHeadAttention`` with ``T5Bias``, whose queries are
    scaled so that the scores are not divided by the root of the width.

    Args:
        source: the module.
        **options: of our layer, beyond those that are read from the source.

    Raises:
        ValueError: for another module.
    """
    return chosen(_CONVERTERS, source, "transformers")(source, options)


def t5(source, options):
    """``T5Attention``: no division by the root of the width, a bias by distance."""
    heads, width = source.n_heads, source.key_value_proj_dim
    weights = {
        "query/kernel": split_heads(source.q.weight, heads) * math.sqrt(width),
        "key/kernel": split_heads(source.k.weight, heads),
        "value/kernel": split_heads(source.v.weight, heads),
        "attention_output/kernel": join_heads(source.o.weight, heads),
    }
    known = {"num_heads": heads, "key_dim": width, "use_bias": False}
    if source.has_relative_attention_bias:
        known["position"] = positions.T5Bias(
            source.relative_attention_num_buckets,
            source.relative_attention_max_distance,
            bidirectional=not source.is_decoder,
        )
        weights["relative_attention_bias"] = array_of(
            source.relative_attention_bias.weight
        )
    layer = layers.MultiHeadAttention(**{**known, **options})
    return filled(layer, (source.d_model,) * 3, weights)


_CONVERTERS = {"T5Attention": t5}
