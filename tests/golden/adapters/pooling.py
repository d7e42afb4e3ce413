"""The copied pooling layer and its parent, cbaziotis/keras-utilities."""

from regard.compat import kaggle
from tests.golden.tools import Applied, adapts, named


@adapts(
    "text_classification_keras.Attention_step_dim",
    "keras_utilities.Attention",
    reproduces=True,
)
def attention(case, faithful):
    options = {"step_dim": case.arrays["in.x"].shape[1], **case.constructor}
    options["return_attention"] = True
    return pooled(kaggle.Attention(faithful=faithful, **options))


@adapts("keras_utilities.AttentionWithContext", reproduces=True)
def attention_with_context(case, faithful):
    options = {**case.constructor, "return_attention": True}
    return pooled(kaggle.AttentionWithContext(faithful=faithful, **options))


def pooled(layer):
    applied = Applied(layer)

    def run(t):
        weights = named(t, "w.W", "w.b", "w.u")
        outputs = applied(weights, t["in.x"], mask=t.get("in.mask"))
        return dict(zip(("out.pooled", "out.attention"), outputs, strict=True))

    return run
