"""philipperemy/keras-attention, version 5."""

from regard.compat.keras_attention import Attention
from tests.golden.tools import Applied, adapts

WEIGHTS = ("luong_w", "bahdanau_v", "bahdanau_w1", "bahdanau_w2", "attention_vector")


@adapts("attention5.Attention", reproduces=True)
def attention(case, faithful):
    layer = Applied(Attention(faithful=faithful, **case.constructor))
    names = [f"w.{name}/kernel" for name in WEIGHTS]

    def run(t):
        weights = [t[name] for name in names if name in t]
        return {"out.attention_vector": layer(weights, t["in.x"])}

    return run
