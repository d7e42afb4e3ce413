"""speechbrain's attentive statistics."""

from keras import ops

from regard.layers import StatisticsPooling
from tests.golden.tools import Applied, adapts


@adapts("speechbrain.AttentiveStatisticsPooling")
def attentive_statistics(case):
    """Channels come before time there; its hidden layer has a norm over batches."""
    units = case.arrays["w.tdnn.conv.conv.weight"].shape[0]
    context = case.constructor.get("global_context", True)

    def run(t):
        layer = StatisticsPooling(
            units,
            activation=lambda hidden: ops.tanh(normed(t, ops.relu(hidden))),
            by_channel=True,
            global_context=context,
        )
        weights = []
        for name in ("w.tdnn.conv.conv", "w.conv.conv"):
            kernel = ops.transpose(t[f"{name}.weight"][..., 0])
            weights += [kernel, t[f"{name}.bias"]]
        inputs = ops.swapaxes(t["in.x"], 1, 2)
        keep = None
        if "in.lengths" in t:  # parts of the longest
            length = inputs.shape[1]
            places = ops.cast(ops.arange(length), "float32")
            keep = places[None] < ops.cast(t["in.lengths"], "float32")[:, None] * length
        pooled = Applied(layer)(weights, inputs, mask=keep)
        return {"out.pooled": pooled[..., None]}

    return run


def normed(t, hidden):
    """Batch normalization as at inference, epsilon 1e-5."""
    name = "w.tdnn.norm.norm"
    apart = hidden - t[f"{name}.running_mean"]
    unit = apart / ops.sqrt(t[f"{name}.running_var"] + 1e-5)
    return unit * t[f"{name}.weight"] + t[f"{name}.bias"]
