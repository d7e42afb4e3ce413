"""Dtype policies: what comes in and out, and that nothing overflows inside."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.subject import subject_of

POLICIES = {
    "float16": ("float16", "float16"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}


@check()
def dtype_policies(subject):
    exact = subject.expected()[0]
    for policy, (compute, variable) in POLICIES.items():
        half = subject_of(subject.case, policy)
        output = half.tensors()
        assert keras.backend.standardize_dtype(output.dtype) == compute
        for weight in half.layer.trainable_variables:
            assert keras.backend.standardize_dtype(weight.dtype) == variable
        tolerance = 0.02 if compute == "float16" else 0.12
        assert_allclose(half.call(), exact, rtol=tolerance, atol=tolerance)
        if "weights" in subject.case.tags:
            _, weights = half.tensors(return_attention_scores=True)
            assert keras.backend.standardize_dtype(weights.dtype) == compute


@check("distribution")
def large_logits_stay_finite(subject):
    """Scores far beyond 65504, the largest number of float16."""
    for kind in ("float16", "bfloat16"):
        half = subject_of(subject.case, kind)
        large = {name: array * 150 for name, array in half.inputs.items()}
        for sign in (1, -1):
            first = half.case.arguments[0]
            output, weights = half.with_weights({**large, first: sign * large[first]})
            assert np.isfinite(output).all()
            assert_allclose(weights.sum(-1), 1.0, atol=0.02)
