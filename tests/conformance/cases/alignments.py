"""Attention that remembers where it looked before."""

from functools import partial

from regard import layers
from tests.conformance.case import Case
from tests.conformance.kinds import GATE, VARIANT
from tests.reference import alignments as reference
from tests.reference.additive import additive

REMEMBERS = GATE | {"masked", "steps", "asks", "dropout"}
DISTRIBUTION = REMEMBERS | {"distribution", "traced"}

CASES = [
    Case(
        "coverage",
        partial(layers.CoverageAttention, 8),
        reference.coverage,
        tags=DISTRIBUTION | {"order_free"},
    ),
    Case(
        "location_sensitive",
        partial(layers.LocationSensitiveAttention, 8, 4, 3),
        reference.location_sensitive,
        tags=DISTRIBUTION,
    ),
    Case(
        "location_sensitive_both",
        partial(
            layers.LocationSensitiveAttention,
            8,
            4,
            3,
            history="both",
            steps=2,
            start="first",
            use_bias=False,
        ),
        partial(reference.location_sensitive, history="both", steps=2, start="first"),
        tags=VARIANT,
    ),
    Case(
        "monotonic",
        partial(layers.MonotonicAttention, 8),
        reference.monotonic,
        tags=REMEMBERS,
    ),
    Case(
        "monotonic_general",
        partial(layers.MonotonicAttention, score="general", preserve_mass=True),
        partial(reference.monotonic, general=True, preserve=True),
        tags=VARIANT,
    ),
    Case(
        "chunkwise",
        partial(layers.ChunkwiseAttention, 8, 2),
        partial(reference.monotonic, chunk_size=2),
        tags=REMEMBERS,
    ),
    Case(
        "chunkwise_lookback",
        partial(layers.ChunkwiseAttention, 8, None, normalize=False),
        partial(reference.monotonic, chunk_size=None),
        tags=VARIANT,
    ),
    Case(
        "forward",
        partial(layers.ForwardAttention, 8),
        reference.forward,
        tags=DISTRIBUTION - {"traced"},
    ),
    Case(
        "forward_agent",
        partial(layers.ForwardAttention, 8, 2, 3, transition_agent=True),
        reference.forward,
        tags=VARIANT,
    ),
    Case(
        "mixture",
        partial(layers.MixtureAttention, 3, 8),
        reference.mixture,
        tags=REMEMBERS,
    ),
    Case(
        "mixture_v1",
        partial(layers.MixtureAttention, 2, None, "v1"),
        partial(reference.mixture, version="v1"),
        tags=VARIANT,
    ),
    Case(
        "mixture_v0",
        partial(layers.MixtureAttention, 2, None, "v0"),
        partial(reference.mixture, version="v0"),
        tags=VARIANT,
    ),
    Case(
        "dynamic_convolution",
        partial(layers.DynamicConvolutionAttention, 6, 2, 3, 3, 5, prior=(3, 0.1, 0.9)),
        partial(reference.dynamic_convolution, chances=reference.prior(3, 0.1, 0.9)),
        tags=DISTRIBUTION,
    ),
    Case(
        "stochastic",
        partial(layers.StochasticAttention, 8),
        additive,
        tags=DISTRIBUTION - {"dropout"} | {"order_free"},
        still=dict.fromkeys(
            ("query_kernel", "key_kernel", "score_vector", "bias"),
            "what was drawn in training has no gradient",
        ),
    ),
    Case(
        "local_predictive",
        partial(layers.LocalAttention, 2),
        reference.local,
        tags=REMEMBERS,
    ),
    Case(
        "local_monotonic",
        partial(layers.LocalAttention, 1, predictive=False),
        partial(reference.local, predictive=False, window=1),
        tags=REMEMBERS | {"distribution", "traced"},
    ),
    Case(
        "local_renormalized",
        partial(layers.LocalAttention, 2, units=3, spread=0.7, renormalize=True),
        partial(reference.local, spread=0.7, renormalize=True),
        tags=VARIANT,
    ),
]
