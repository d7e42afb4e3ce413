"""The window attention of Swin transformer V2 in Hugging Face's transformers."""

import math

from keras import ops

from regard.layers import CosineAttention
from tests.golden.tools import Applied, adapts, linear


@adapts("hf.Swinv2SelfAttention")
def swin_v2_self_attention(case):
    """One cosine attention per head, with the bias the package's network makes."""
    heads = case.constructor["num_heads"]
    layer = Applied(CosineAttention())

    def run(t):
        inputs = t["in.hidden_states"]
        batch, places, width = inputs.shape

        def split(name):
            shape = (batch, places, heads, width // heads)
            return ops.transpose(
                ops.reshape(linear(t, f"w.{name}", inputs), shape), (2, 0, 1, 3)
            )

        query, key, value = (split(name) for name in ("query", "key", "value"))
        sharpness = ops.exp(ops.minimum(t["w.logit_scale"], math.log(100.0)))
        bias = window_bias(t, heads)
        contexts, maps = [], []
        for h in range(heads):
            bias_h = bias[None, None, :, :, h]
            if "in.attention_mask" in t:  # numbers per window, windows in turn
                mask = t["in.attention_mask"]
                turns = (batch // mask.shape[0], 1, 1)
                bias_h = bias_h + ops.tile(mask, turns)[:, None]
            context, attention = layer(
                [sharpness[h, 0, 0]],
                query[h],
                value[h],
                key[h],
                bias=bias_h,
                return_attention_scores=True,
            )
            contexts.append(context)
            maps.append(attention)
        return {
            "out.y": ops.concatenate(contexts, axis=-1),
            "out.attention": ops.stack(maps, axis=1),
        }

    return run


def window_bias(t, heads):
    """16 sigmoid of a small network of the distances, at every pair (P, P, heads)."""
    name = "w.continuous_position_bias_mlp"
    hidden = ops.relu(linear(t, f"{name}.0", t["in.relative_coords_table"]))
    table = ops.reshape(linear(t, f"{name}.2", hidden), (-1, heads))
    return 16.0 * ops.sigmoid(ops.take(table, t["in.relative_position_index"], axis=0))
