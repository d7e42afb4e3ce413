"""Properties of every mechanism. A check knows no mechanism by name."""

from tests.conformance.checks import (  # noqa: F401  each registers its checks
    arguments,
    caches,
    masking,
    numbers,
    order,
    paths,
    precision,
    recurrences,
    saving,
    shapes,
    steps,
    training,
    weights,
)
from tests.conformance.checks.registry import CHECKS, Check

__all__ = ["CHECKS", "Check"]
