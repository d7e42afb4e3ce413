"""Hypothesis strategies: rows of scores with masks, and expressions of scopes.

Array shapes are fixed, because every new shape costs a compilation on some backends.
"""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regard.core.scopes import Causal, Prefix, Window

ROWS, KEYS, QUERIES = 4, 6, 3

moderate = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def numbers(largest):
    return st.floats(-largest, largest, width=32, allow_subnormal=False)


def score_rows(largest=50.0):
    """(ROWS, KEYS) float32; equal numbers are likely, so ties are met."""
    some = st.one_of(numbers(largest), st.sampled_from([0.0, 1.0, -1.0]))
    return arrays(np.float32, (ROWS, KEYS), elements=some)


def masks():
    """(ROWS, KEYS) booleans, empty rows included."""
    return arrays(np.bool_, (ROWS, KEYS))


def leaf_scopes():
    small = st.integers(0, 4)
    return st.one_of(
        st.builds(Causal),
        st.builds(Causal, st.integers(-3, 3)),
        st.builds(Window, small, small),
        st.builds(Prefix, small),
    )


def scopes():
    """Expressions of up to a few operators."""
    return st.recursive(
        leaf_scopes(),
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            st.builds(lambda a: ~a, inner),
        ),
        max_leaves=4,
    )
