"""Normalizers: each in an attention over a memory, and in a pooling."""

from functools import partial

from regard import layers, normalizers
from tests.conformance.kinds import (
    EQUAL,
    MEMORY,
    POOLING,
    ROW_SHIFT,
    over_sequence,
    soft,
)
from tests.reference.additive import additive
from tests.reference.multi_head import multi_head
from tests.reference.normalizers import of_part
from tests.reference.pooling import pooling
from tests.reference.scaled_dot import scaled_dot

SUMS_TO_ONE = {"distribution"}
ROW_BY_ROW = {"steps", "caches"}


def learned(reference, part, heads=1):
    """A reference whose normalizer has weights."""

    def run(weights, **arrays):
        own = [
            of_part(part.name, part.get_config(), weights, head)
            for head in range(heads)
        ]
        chosen = own if heads > 1 else own[0]
        return reference(weights, **arrays, normalizer=chosen)

    return run


def inside(word, part, make, reference, *, heads=1, **more):
    """A row of an attention over a memory with this normalizer."""
    tags = MEMORY if part.distribution else MEMORY - SUMS_TO_ONE
    return soft(
        f"{reference.__name__}_{word}",
        partial(make, normalizer=part),
        learned(reference, part, heads),
        tags=tags if part.rowwise else tags - ROW_BY_ROW,
        **more,
    )


def pooled(word, part):
    """The same inside a pooling."""
    return over_sequence(
        f"pooling_{word}",
        partial(layers.AttentionPooling, activation=None, normalizer=part),
        learned(partial(pooling, activation=None), part),
        tags=POOLING if part.distribution else POOLING - SUMS_TO_ONE,
        still={"bias": ROW_SHIFT} if part.shift_invariant else {},
    )


ADDITIVE = partial(layers.AdditiveAttention, 8)
HEADS = partial(layers.MultiHeadAttention, 2, 3)
SHIFT = {"key/bias": ROW_SHIFT}
SCALED = layers.ScaledDotAttention

PARTS = {
    "entmax": normalizers.Entmax(alpha=1.3),
    "entmax_learned": normalizers.Entmax(alpha=1.6, learn_alpha=True),
    "sigmoid": normalizers.Sigmoid(),
    "sigmoid_bias": normalizers.Sigmoid(bias=-0.5),
    "off_by_one": normalizers.OffByOne(),
    "sinks": normalizers.Sinks(sink=0.5),
    "top_k": normalizers.TopK(k=3),
    "proportional": normalizers.Proportional(),
    "relu": normalizers.Rectified(),
    "relu_squared": normalizers.Rectified(power=2),
    "softpick": normalizers.Softpick(),
    "budget": normalizers.Budget(budget=1.5),
    "normmax": normalizers.Normmax(alpha=1.8),
    "soft_cap": normalizers.SoftCap(1.5),
    "soft_cap_sinks": normalizers.SoftCap(2.0, normalizers.Sinks(sink=0.5)),
}

# Two draws of dropout over three keys are too often the same.
WIDER = {"top_k": normalizers.TopK(k=4)}

CASES = [
    inside("entmax", PARTS["entmax"], ADDITIVE, additive),
    inside(
        "entmax_learned",
        PARTS["entmax_learned"],
        HEADS,
        multi_head,
        heads=2,
        still=SHIFT,
    ),
    inside("sigmoid", PARTS["sigmoid"], HEADS, multi_head, heads=2),
    inside("off_by_one", PARTS["off_by_one"], ADDITIVE, additive),
    inside("sinks", PARTS["sinks"], HEADS, multi_head, heads=2),
    inside("top_k", PARTS["top_k"], ADDITIVE, additive),
    inside("proportional", PARTS["proportional"], SCALED, scaled_dot, sizes=EQUAL),
    inside("relu", PARTS["relu"], SCALED, scaled_dot, sizes=EQUAL),
    inside("softpick", PARTS["softpick"], ADDITIVE, additive),
    inside("budget", PARTS["budget"], ADDITIVE, additive),
    inside("normmax", PARTS["normmax"], HEADS, multi_head, heads=2, still=SHIFT),
    inside("soft_cap", PARTS["soft_cap"], ADDITIVE, additive),
    inside("soft_cap_sinks", PARTS["soft_cap_sinks"], HEADS, multi_head, heads=2),
    inside("slot", normalizers.Slot(), ADDITIVE, additive),
    *(pooled(word, part) for word, part in (PARTS | WIDER).items()),
]
