"""thushv89/attention_keras."""

from regard.compat.attention_keras import AttentionLayer
from tests.golden.tools import Applied, adapts, named


@adapts("attention_keras.AttentionLayer", reproduces=True)
def attention_layer(case, faithful):
    layer = Applied(AttentionLayer(faithful=faithful, **case.constructor))

    def run(t):
        inputs = [t["in.encoder_out_seq"], t["in.decoder_out_seq"]]
        context, weights = layer(named(t, "w.W_a", "w.U_a", "w.V_a"), inputs)
        return {"out.context": context, "out.attention": weights}

    return run
