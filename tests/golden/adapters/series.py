"""Auto-correlation: the Time-Series-Library's, and Autoformer's of transformers."""

from keras import ops

from regard.core.autocorrelation import (
    correlation,
    delays,
    number_of_delays,
    read_delayed,
)
from regard.layers import AutoCorrelation
from regard.layers.series.auto_correlation import fitted
from tests.golden.tools import Applied, adapts, listened, refuse_options


@adapts("time_series_library.AutoCorrelation")
def auto_correlation(case):
    """Without projections: what our layer does between them."""
    refuse_options(case, attention_dropout=(0.0, 0), mask_flag=(True, False))
    factor = case.constructor.get("factor", 1)
    training = bool(case.call.get("training", False))

    def run(t):
        length = t["in.queries"].shape[1]

        def headed(name):
            vectors = t[name]
            batch, own, heads, width = vectors.shape
            vectors = ops.reshape(vectors, (batch, own, heads * width))
            vectors = fitted(vectors, length)
            vectors = ops.reshape(vectors, (batch, length, heads, width))
            return ops.swapaxes(vectors, 1, 2)

        # Its inverse transform forgets the last step of an odd length.
        points = length - length % 2
        count = number_of_delays(length, factor)
        query, key = headed("in.queries"), headed("in.keys")
        found = correlation(query, key, points)
        weights, chosen = delays(ops.mean(found, axis=(1, 2)), count, training)
        output = read_delayed(headed("in.values"), weights, chosen)
        return {
            "out.y": ops.swapaxes(output, 1, 2),
            "out.correlation": ops.transpose(found, (0, 3, 1, 2)),
        }

    return run


@adapts("hf.AutoformerAttention")
def autoformer(case):
    options = case.constructor
    refuse_options(case, dropout=(0.0, 0), is_decoder=(False,))
    heads = options["num_heads"]
    factor = options.get("autocorrelation_factor", 3)
    layer = AutoCorrelation(heads, options["embed_dim"] // heads, factor)
    applied = Applied(layer)

    def run(t):
        weights = []
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            kernel = ops.transpose(t[f"w.{name}.weight"])
            bias = t.get(f"w.{name}.bias", ops.zeros(kernel.shape[-1:]))
            weights += [kernel, bias]
        query = t["in.hidden_states"]
        memory = t.get("in.key_value_states", query)
        training = bool(case.call.get("training", False))
        output, heard = listened(
            layer, lambda: applied(weights, query, memory, training=training)
        )
        found = ops.swapaxes(heard["extra"]["correlation"], 2, 3)
        return {"out.y": output, "out.autocorrelation": found}

    return run
