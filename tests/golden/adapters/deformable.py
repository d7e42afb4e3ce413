"""Multi-scale deformable sampling of Hugging Face's Deformable DETR."""

from keras import ops

from regard.core.sampling import deformable
from tests.golden.tools import adapts


@adapts("hf.MultiScaleDeformableAttention")
def multi_scale_deformable_attention(case):
    shapes = case.call["shapes"]

    def run(t):
        batch, _, heads, size = t["in.value"].shape
        levels, start = [], 0
        for height, width in shapes:
            flat = t["in.value"][:, start : start + height * width]
            levels.append(ops.reshape(flat, (batch, height, width, heads, size)))
            start += height * width
        places, weights = t["in.sampling_locations"], t["in.attention_weights"]
        context = deformable(levels, places, weights)
        return {"out.y": ops.reshape(context, (batch, -1, heads * size))}

    return run
