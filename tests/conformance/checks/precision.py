"""Dtype policies: what comes in and out, and that nothing overflows inside."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import hide_keys
from tests.conformance.subject import numpy, subject_of

POLICIES = {
    "float16": ("float16", "float16"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}


@check()
def dtype_policies(subject):
    masks, visible = {}, None
    if "masked" in subject.case.tags:
        masks, visible = hide_keys(subject)
    asked = "weights" in subject.case.tags
    exact = subject.expected(visible=visible)[0]
    for policy, (compute, variable) in POLICIES.items():
        half = subject_of(subject.case, policy)
        tensors = half.tensors_at_once(weights=asked, **masks)
        for each in tensors if asked else (tensors,):
            assert keras.backend.standardize_dtype(each.dtype) == compute
        for weight in half.layer.trainable_variables:
            assert keras.backend.standardize_dtype(weight.dtype) == variable
        tolerance = 0.02 if compute == "float16" else 0.12
        output = numpy(tensors[0] if asked else tensors)
        assert_allclose(output, exact, rtol=tolerance, atol=tolerance)


@check("distribution")
def large_logits_stay_finite(subject):
    """Scores far beyond 65504, the largest number of float16."""
    masks, visible = hide_keys(subject)
    seen = subject.case.visibility(subject.inputs, visible).any(-1)
    for kind in ("float16", "bfloat16"):
        half = subject_of(subject.case, kind)
        large = {name: array * 150 for name, array in half.inputs.items()}
        for sign in (1, -1):
            first = half.case.arguments[0]
            inputs = {**large, first: sign * large[first]}
            output, weights = half.at_once(inputs, weights=True, **masks)
            assert np.isfinite(output).all()
            shown = seen[:, None] if weights.ndim == 4 else seen
            total = np.broadcast_to(shown, weights.shape[:-1])
            assert_allclose(weights.sum(-1), total, atol=0.02)
