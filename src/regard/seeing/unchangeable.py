"""Why some layers cannot be made to read with other weights."""

from typing import Any

_WHY = {  # reason: classes
    "it multiplies what it is given by gates and reads no keys": (
        *("ImageGate", "FeatureGate"),
    ),
    "its weights are gates, a sigmoid for each series": ("TemporalPatternAttention",),
    "it never makes the table of all pairs, which is why it is fast": (
        *("Approximation", "LSHAttention", "LongformerAttention"),
    ),
    "its weights are its answer, a distribution over words": (
        *("CopyNet", "PointerSentinel", "PointerGenerator"),
    ),
    "it takes the largest or the mean of a row of its grid": (
        *("GridPooling", "PervasiveAttention"),
    ),
    "both inputs read each other by one table of scores": ("Pairing",),
    "it reads at points between the pixels, not at keys": (
        *("DeformableAttention", "SpatialTransformer"),
        "DFineMultiscaleDeformableAttention",
    ),
    "it gathers features over all pixels, then gives them out again, by two tables": (
        "DoubleAttention",
    ),
    "its weights are of delays of the whole series": ("AutoCorrelation",),
    "its weights are normalized twice, over positions and over keys of its own": (
        "ExternalAttention",
    ),
}


def why_unchangeable(layer: Any) -> str:
    """What a layer does instead of reading keys with a table of weights."""
    names = {each.__name__ for each in type(layer).__mro__}
    for reason, classes in _WHY.items():
        if names & set(classes):
            return reason
    return "it did not read a memory with a table of weights"
