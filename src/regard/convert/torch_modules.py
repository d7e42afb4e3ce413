"""torch.nn.MultiheadAttention."""

import numpy as np

from regard import layers
from regard.convert.weights import array_of, chosen, filled, join_heads, split_heads


def from_torch(source, **options):
    """Our ``MultiHeadAttention`` with the weights of ``torch.nn.MultiheadAttention``.

    Inputs and outputs of ours have the batch first, whatever ``batch_first`` says, and
    masks mean True = may attend.

    Args:
        source: the module.
        **options: of our layer, beyond those that are read from the source.

    Raises:
        ValueError: for another module, or one with keys of its own.
    """
    return chosen({"MultiheadAttention": multi_head}, source, "torch.nn")(
        source, options
    )


def multi_head(source, options):
    """in_proj (3E, E) or three weights, then out_proj (E, E)."""
    if source.bias_k is not None or source.add_zero_attn:
        raise ValueError(
            "source must have add_bias_kv=False and add_zero_attn=False. Got "
            f"{source.bias_k is not None} and {source.add_zero_attn}."
        )
    heads, width = source.num_heads, source.embed_dim
    if source.in_proj_weight is not None:
        kernels = np.split(array_of(source.in_proj_weight), 3)
    else:
        kernels = [
            array_of(getattr(source, f"{name}_proj_weight")) for name in ("q", "k", "v")
        ]
    weights = {
        f"{name}/kernel": split_heads(kernel, heads)
        for name, kernel in zip(_PARTS, kernels, strict=True)
    }
    weights["attention_output/kernel"] = join_heads(source.out_proj.weight, heads)
    if source.in_proj_bias is not None:
        for name, bias in zip(
            _PARTS, np.split(array_of(source.in_proj_bias), 3), strict=True
        ):
            weights[f"{name}/bias"] = bias.reshape(heads, -1)
        weights["attention_output/bias"] = array_of(source.out_proj.bias)
    known = {
        "num_heads": heads,
        "key_dim": width // heads,
        "use_bias": source.in_proj_bias is not None,
        "dropout": source.dropout,
    }
    layer = layers.MultiHeadAttention(**{**known, **options})
    return filled(layer, (width, source.vdim, source.kdim), weights)


_PARTS = ("query", "key", "value")
