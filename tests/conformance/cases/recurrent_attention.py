"""Attention that is a recurrence."""

from functools import partial

import numpy as np

from regard import layers, positions
from tests.conformance.kinds import RECURRENT, over_sequence
from tests.reference import recurrences

SILU = {"activation": lambda x: x / (1 + np.exp(-x))}


def recurrence(name, make, reference, **more):
    """A mechanism with a state, in chunks so small that there are several."""
    make = partial(make, chunk_size=2)
    return over_sequence(name, make, reference, **{"tags": RECURRENT, **more})


CASES = [
    recurrence(
        "causal_linear",
        partial(layers.CausalLinearAttention, 2, 3, value_dim=4),
        recurrences.causal_linear,
    ),
    recurrence(
        "causal_linear_signed",
        partial(
            layers.CausalLinearAttention,
            2,
            3,
            feature_map="identity",
            normalize=False,
            use_bias=True,
            output_shape=5,
        ),
        partial(recurrences.causal_linear, feature=lambda x: x, normalize=False),
    ),
    recurrence(
        "causal_linear_cosine",
        partial(
            layers.CausalLinearAttention,
            2,
            3,
            feature_map="relu",
            position=positions.CosineReweighting(16),
        ),
        partial(recurrences.causal_linear, feature=recurrences.relu, length=16),
    ),
    recurrence(
        "retention",
        partial(layers.Retention, 2, 3, value_dim=4),
        recurrences.retention,
    ),
    recurrence(
        "retention_lightning",
        partial(
            layers.Retention,
            2,
            3,
            decays=[0.5, 0.9],
            activation="silu",
            output_norm="width",
            output_gate="sigmoid",
        ),
        partial(
            recurrences.retention,
            decays=[0.5, 0.9],
            norm="width",
            gate="sigmoid",
            **SILU,
        ),
    ),
    recurrence(
        "gated_linear",
        partial(layers.GatedLinearAttention, 2, 3, value_dim=4, temperature=1.0),
        partial(recurrences.gated_linear, temperature=1.0),
    ),
    recurrence(
        "gated_linear_per_head",
        partial(
            layers.GatedLinearAttention,
            2,
            3,
            gate_per="head",
            output_norm="width",
            output_gate=None,
        ),
        partial(recurrences.gated_linear, norm="width", gate=None),
    ),
    recurrence(
        "delta",
        partial(layers.DeltaAttention, 2, 3, value_dim=5),
        recurrences.delta,
    ),
    recurrence(
        "delta_negative",
        partial(layers.DeltaAttention, 2, 3, negative=True),
        partial(recurrences.delta, strongest=2.0),
    ),
    recurrence(
        "gated_delta",
        partial(layers.GatedDeltaAttention, 2, 3, value_dim=4),
        partial(recurrences.delta, gated=True),
    ),
    recurrence(
        "gated_delta_per_channel",
        partial(layers.GatedDeltaAttention, 2, 3, gate_per="channel", gate_rank=2),
        partial(recurrences.delta, gated=True),
    ),
    recurrence(
        "forgetting",
        partial(layers.ForgettingAttention, 2, 3, value_dim=4),
        recurrences.forgetting,
    ),
]
