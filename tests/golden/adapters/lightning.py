"""MiniMax's lightning attention: retention with silu, and its own decays."""

import math

from keras import ops

from regard.layers import Retention
from tests.golden.tools import Applied, adapts, refuse_options


@adapts("hf.MiniMaxLightningAttention")
def lightning(case):
    refuse_options(case, hidden_act=("silu",))
    options = case.constructor
    heads = options["num_attention_heads"]
    width = options.get("head_dim") or options["hidden_size"] // heads
    depth = options["layer_idx"] / (options["num_hidden_layers"] - 1 + 1e-5)
    slopes = [2.0 ** (-8 * (h + 1) / heads) * (1 - depth + 1e-5) for h in range(heads)]
    layer = Retention(
        heads,
        width,
        decays=[math.exp(-slope) for slope in slopes],
        activation="silu",
        output_norm="width",
        output_gate="sigmoid",
        scale=1.0,
        chunk_size=options.get("block_size"),
    )
    applied = Applied(layer)

    def run(t):
        x = t["in.hidden_states"]
        stacked = ops.reshape(t["w.qkv_proj.weight"], (heads, 3, width, -1))
        projections = [ops.transpose(stacked[:, i], (2, 0, 1)) for i in range(3)]
        gate = ops.reshape(ops.transpose(t["w.output_gate.weight"]), (-1, heads, width))
        norm = ops.reshape(t["w.norm.weight"], (heads, width))
        output = ops.reshape(ops.transpose(t["w.out_proj.weight"]), (heads, width, -1))
        start = {"memory": ops.zeros((x.shape[0], heads, width, width))}
        y, state = applied([norm, *projections, gate, output], x, state=start)
        return {"out.y": y, "out.state": state["memory"]}

    return run
