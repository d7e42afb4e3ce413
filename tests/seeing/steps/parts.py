"""Layers put together of one part each, and the calls that its card explains."""

from functools import partial

import numpy as np

import regard
from regard import layers, losses, normalizers, norms, positions

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

POSITIONS = {
    "rope": positions.RoPE(),
    "rope_some": positions.RoPE(pairing="interleaved", width=2),
    "rope_scaled": positions.RoPE(scaling=positions.YaRN(4.0, 8)),
    "xpos": positions.XPos(decay_base=4.0, center=2),
    "xpos_some": positions.XPos(pairing="interleaved", width=2, decay_base=4.0),
    "axial_rope": positions.AxialRoPE(3),
    "alibi": positions.ALiBi(),
    "alibi_given": positions.ALiBi(scale=2.0, slopes=(0.3, 0.1)),
    "t5": positions.T5Bias(8, 5),
    "t5_causal": positions.T5Bias(4, 5, bidirectional=False),
    "kerple": positions.Kerple(),
    "kerple_power": positions.Kerple("power"),
    "fire": positions.FIRE(units=5, threshold=3.0),
    "shaw": positions.ShawRelative(2),
    "shaw_keys": positions.ShawRelative(2, values=False),
    "transformer_xl": positions.TransformerXLRelative(),
    "transformer_xl_table": positions.TransformerXLRelative(reach=2),
    "disentangled": positions.DisentangledRelative(2),
    "disentangled_paper": positions.DisentangledRelative(2, order="paper"),
    "disentangled_far": positions.DisentangledRelative(4, 6),
    "disentangled_one_term": positions.DisentangledRelative(2, terms=("p2c",)),
    "window_bias": positions.WindowBias((2, 3)),
    "continuous_window_bias": positions.ContinuousWindowBias((2, 3), (3, 3), units=5),
    "adaptive_span": positions.AdaptiveSpan(4, ramp=2, start=0.5),
    "cosine_reweighting": positions.CosineReweighting(12),
    "together": positions.RoPE() + (positions.ALiBi() + positions.AdaptiveSpan(4, 2)),
}
NORMS = {
    "rms": norms.RMS(),
    "rms_per_head": norms.RMS(per_head=True),
    "rms_bare": norms.RMS(gain=False),
    "unit": norms.Unit(),
    "unit_fixed": norms.Unit(3.0, learn=False),
}
ELSEWHERE = {
    "query_positions": np.array([7, 2, 9]),
    "key_positions": np.array([[0, 3, 4, 8, 9], [5, 6, 7, 8, 9], [0, 1, 2, 3, 4]]),
}
CALLS |= {
    f"position_{name}": partial(hidden, HEADS(position=part))
    for name, part in POSITIONS.items()
}
CALLS |= {
    f"elsewhere_{name}": partial(hidden, HEADS(position=POSITIONS[name]), **ELSEWHERE)
    for name in (
        "rope",
        "xpos",
        "alibi",
        "fire",
        "shaw",
        "transformer_xl",
        "adaptive_span",
    )
}
CALLS |= {
    f"norm_{name}": partial(
        hidden, HEADS(query_key_norm=part, position=positions.RoPE())
    )
    for name, part in NORMS.items()
}

LAYOUT = ((1, 0, 1), (1, 1, 0), (0, 1, 1))
SCOPES = {
    "causal": regard.Causal(),
    "causal_rows": regard.Causal(offset=1),
    "window": regard.Window(1, 1),
    "prefix": regard.Prefix(2),
    "dilated": regard.Dilated(1, 1),
    "everywhere": regard.Everywhere([3]),
    "strided": regard.Strided(2),
    "neighbourhood": regard.Neighbourhood(3),
    "blocks": regard.Blocks(LAYOUT, 2),
    "joined": regard.Causal()
    & (regard.Window(1) | ~regard.Window(2) | regard.Prefix(1)),
}
OF_A_CALL = {
    "padding_lengths": regard.Padding(np.array([5, 2, 0])),
    "padding_mask": regard.Padding(REAL),
    "documents": regard.Documents(np.array([[0, 0, 1, 1, 1]] * 2 + [[4, 4, 4, 4, 5]])),
    "joined_of_call": regard.Window(1) & regard.Padding(REAL),
}
CALLS |= {
    f"scope_{name}": partial(hidden, HEADS(scope=part)) for name, part in SCOPES.items()
}
CALLS |= {
    f"call_{name}": partial(hidden, HEADS(), attention_mask=part)
    for name, part in (SCOPES | OF_A_CALL).items()
}
CALLS["sliding_window"] = partial(hidden, HEADS(sliding_window=2))
CALLS["sliding_window_joined"] = partial(
    hidden,
    layers.MultiHeadAttention(2, 4, sliding_window=2, scope=regard.Prefix(3)),
    use_causal_mask=True,
    attention_mask=regard.Strided(2),
)
CALLS["scope_elsewhere"] = partial(hidden, HEADS(scope=regard.Window(3)), **ELSEWHERE)

TOKENS = arrays(2, queries=4)[0]
SHOWN = np.array([[0, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], bool)
COUNTED = {
    "sinusoidal": layers.SinusoidalPositions(),
    "sinusoidal_half": layers.SinusoidalPositions(layout="half"),
    "learned": layers.LearnedPositions(9),
}
GATES = {
    "softmax": layers.FeatureGate(),
    "sigmoid": layers.FeatureGate("sigmoid", use_bias=False),
}
WEIGHTS = np.random.default_rng(3).dirichlet(np.ones(5), (3, 2, 4)).astype("float32")
PAIRS = SHOWN[:, :, None] & REAL[:, None, :] | np.eye(4, 5, dtype=bool)
CLASSES = np.array([[0, 3, 1, 2], [1, 1, 2, 0], [4, 4, 0, 3]])
SCORES = np.random.default_rng(4).normal(size=(3, 4, 5), scale=2).astype("float32")


def called(make, *inputs, **options):
    """What ``explain`` is given beside the place."""
    return make, inputs, options


EXPLAINED = {
    **{f"positions_{n}": called(part, TOKENS) for n, part in COUNTED.items()},
    **{
        f"positions_{n}_masked": called(part, TOKENS, mask=SHOWN)
        for n, part in COUNTED.items()
    },
    **{
        f"positions_{n}_given": called(part, TOKENS, positions=np.array([4, 2, 2, 8]))
        for n, part in COUNTED.items()
    },
    "registers": called(layers.Registers(2), TOKENS),
    "registers_masked": called(layers.Registers(2), TOKENS, mask=SHOWN),
    **{f"gate_{n}": called(part, TOKENS) for n, part in GATES.items()},
    "gate_masked": called(GATES["softmax"], TOKENS, mask=SHOWN),
    "gate_row": called(GATES["softmax"], TOKENS[:, 0]),
    "gate_image": called(GATES["softmax"], TOKENS.reshape(3, 2, 2, 6)),
    "coverage_loss": called(losses.CoverageLoss(), SHOWN, WEIGHTS[:, 0]),
    "coverage_loss_heads": called(losses.CoverageLoss(), SHOWN, WEIGHTS),
    "guided_loss": called(losses.GuidedAttentionLoss(0.3), PAIRS, WEIGHTS[:, 0]),
    "guided_loss_heads": called(losses.GuidedAttentionLoss(), PAIRS, WEIGHTS),
    **{
        f"entmax_loss_{alpha}": called(losses.EntmaxLoss(alpha), CLASSES, SCORES)
        for alpha in (1.0, 1.3, 1.5, 2.0)
    },
    "entmax_loss_one": called(losses.EntmaxLoss(), CLASSES[:, 0], SCORES[:, 0]),
}
