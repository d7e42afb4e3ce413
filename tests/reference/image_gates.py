"""Gates over images (B, H, W, C), pixel by pixel; visible (B, H, W)."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0.0)


def gated(gate):
    """From a gate of one image and the list of its real pixels to the whole batch."""

    def reference(weights, inputs, visible, **options):
        inputs = np.where(visible[..., None], inputs, 0.0)
        outputs, gates = [], []
        for image, shown in zip(inputs, visible, strict=True):
            gates.append(gate(weights, image, shown, **options))
            outputs.append(image * gates[-1])
        return np.stack(outputs), np.stack(gates)

    return reference


def mean(pixels):
    return pixels.sum(axis=0) / max(len(pixels), 1)


@gated
def squeeze_excitation(weights, image, shown):
    """Hu et al. 2017, equations 2-4."""
    hidden = np.maximum(dense(weights, "squeeze", mean(image[shown])), 0)
    return sigmoid(dense(weights, "excite", hidden))[None, None]


def log_sum_exp(pixels):
    return np.log(np.exp(pixels).sum(axis=0))


POOLS = {
    "average": mean,
    "max": lambda pixels: pixels.max(axis=0),
    "length": lambda pixels: np.sqrt((pixels**2).sum(axis=0)),
    "log_sum_exp": log_sum_exp,
}


@gated
def channel_gate(weights, image, shown, pools=("average", "max"), path=""):
    """Woo et al. 2018, equation 2: the same network for each pool."""
    logits = 0.0
    for name in pools:
        pooled = POOLS[name](image[shown]) if shown.any() else 0 * image[0, 0]
        hidden = np.maximum(dense(weights, f"{path}squeeze", pooled), 0)
        logits = logits + dense(weights, f"{path}excite", hidden)
    return sigmoid(logits)[None, None]


@gated
def spatial_gate(weights, image, shown, path=""):
    """Woo et al. 2018, equation 3, the convolution written out."""
    kernel = weights[f"{path}convolution/kernel"]
    bias = float(np.sum(weights.get(f"{path}convolution/bias", 0.0)))
    size = kernel.shape[0]
    before = (size - 1) // 2
    height, width, _ = image.shape
    summary = np.stack([image.max(axis=-1), image.mean(axis=-1)], axis=-1)
    logits = np.full((height, width, 1), bias)
    for i, j in np.ndindex(height, width):
        for u, v in np.ndindex(size, size):
            row, column = i + u - before, j + v - before
            if 0 <= row < height and 0 <= column < width:
                logits[i, j] += summary[row, column] @ kernel[u, v]
    return sigmoid(logits)


def cbam(weights, inputs, visible):
    """Woo et al. 2018, equation 1: channels first, then places."""
    once, channels = channel_gate(weights, inputs, visible, path="channels/")
    twice, places = spatial_gate(weights, once, visible, path="places/")
    return twice, channels * places


@gated
def efficient_channel_gate(weights, image, shown):
    """Wang et al. 2019, equation 6: a convolution along the channels."""
    means = mean(image[shown])
    kernel = weights["convolution/kernel"][:, 0, 0]
    bias = float(np.sum(weights.get("convolution/bias", 0.0)))
    logits = np.full(len(means), bias)
    for c in range(len(means)):
        for u, number in enumerate(kernel):
            neighbour = c + u - (len(kernel) - 1) // 2
            if 0 <= neighbour < len(means):
                logits[c] += number * means[neighbour]
    return sigmoid(logits)[None, None]


def hard_silu(x):
    return x * np.clip(x + 3, 0, 6) / 6


@gated
def coordinate_gate(weights, image, shown):
    """Hou et al. 2021, equations 4-9."""
    height, width, _ = image.shape
    rows = np.stack([mean(image[i, shown[i]]) for i in range(height)])
    columns = np.stack([mean(image[shown[:, j], j]) for j in range(width)])
    gates = [
        sigmoid(dense(weights, name, hard_silu(dense(weights, "squeeze", each))))
        for name, each in (("rows", rows), ("columns", columns))
    ]
    return gates[0][:, None] * gates[1][None]


@gated
def simam(weights, image, shown, regularization=1e-4):
    """Yang et al. 2021, equations 4-6 and the code of its figure 3."""
    squares = (image - mean(image[shown])) ** 2
    squares[~shown] = 0
    spread = squares.sum(axis=(0, 1)) / max(shown.sum() - 1, 1)
    return sigmoid(squares / (4 * (spread + regularization)) + 0.5)
