"""Layers put together of one part each, and the calls that its card explains."""

from functools import partial

import numpy as np

from regard import layers, normalizers

HEADS = partial(layers.MultiHeadAttention, 2, 4)
# The last example sees nothing.
REAL = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


def arrays(seed=0, queries=3, width=6):
    """A query (3, T, D) and a memory (3, 5, D)."""
    rng = np.random.default_rng(seed)
    shapes = ((3, queries, width), (3, 5, width))
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def hidden(layer, **options):
    """A call with padding, a bias that hides a pair, and weights that are not new."""
    query, value = arrays(queries=options.pop("queries", 3))
    bias = np.zeros((3, 1, query.shape[1], 5), "float32")
    bias[:, :, :, 2] = 0.5
    bias[0, 0, 1, 3] = -np.inf
    layer(query, value)
    rng = np.random.default_rng(1)
    for each in layer.trainable_variables:
        each.assign(rng.normal(size=each.shape, scale=0.6))
    options = {"value_mask": REAL, "bias": bias, **options}
    return layer.trace(query, value, **options)


NORMALIZERS = {
    "softmax": normalizers.Softmax(),
    "sparsemax": normalizers.Sparsemax(),
    "entmax15": normalizers.Entmax15(),
    "entmax": normalizers.Entmax(1.3),
    "entmax_softmax": normalizers.Entmax(1.0),
    "entmax_beyond": normalizers.Entmax(2.5),
    "entmax_learned": normalizers.Entmax(1.6, learn_alpha=True),
    "sigmoid": normalizers.Sigmoid(),
    "sigmoid_biased": normalizers.Sigmoid(bias=-0.5),
    "off_by_one": normalizers.OffByOne(),
    "sinks": normalizers.Sinks(),
    "top_k": normalizers.TopK(2),
    "top_k_all": normalizers.TopK(9),
    "relu": normalizers.Rectified(),
    "relu_squared": normalizers.Rectified(2),
    "softpick": normalizers.Softpick(),
    "slot": normalizers.Slot(),
    "budget": normalizers.Budget(1.5),
    "budget_all": normalizers.Budget(7),
    "normmax": normalizers.Normmax(),
    "normmax_even": normalizers.Normmax(4.0),
    "soft_cap": normalizers.SoftCap(0.5, "sparsemax"),
    "hardmax": normalizers.Hardmax(),
    "proportional": normalizers.Proportional(),
}

CALLS = {
    f"normalizer_{name}": partial(hidden, HEADS(normalizer=part))
    for name, part in NORMALIZERS.items()
}
