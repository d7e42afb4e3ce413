"""The numbers are those of the reference, and so are their gradients."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.shapes import LENGTHS
from tests.conformance.checks.visibility import hide_keys, hide_pairs, key_mask
from tests.conformance.subject import rng_of


@check()
def output_matches_reference(subject):
    assert_allclose(subject.call(), subject.expected()[0], rtol=1e-4, atol=1e-5)


@check("masked")
def output_matches_reference_under_padding(subject):
    options, visible = hide_keys(subject)
    output, weights = subject.with_weights(**options)
    expected, expected_weights = subject.expected(visible=visible)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)


@check("memory")
def output_matches_reference_under_pair_masks(subject):
    options, visible = hide_pairs(subject)
    output, weights = subject.with_weights(**options)
    expected, expected_weights = subject.expected(visible=visible)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)


@check("memory")
def output_matches_reference_at_other_lengths(subject):
    for query, key in LENGTHS:
        inputs = subject.other_inputs(query=query, key=key)
        expected = subject.expected(inputs)[0]
        assert_allclose(subject.at_once(inputs), expected, rtol=1e-4, atol=1e-5)


@check()
def gradient_matches_central_differences(subject):
    """Along a random direction for every input and every weight.

    The float64 side is the NumPy reference: inside Keras float64 silently becomes
    float32 on some backends.
    """
    options, visible = {}, None
    if "memory" in subject.case.tags:
        options, visible = hide_pairs(subject)
    elif "masked" in subject.case.tags:
        options, visible = hide_keys(subject)
    rng = rng_of(subject.case.name, "direction")
    upstream = rng.normal(size=subject.expected()[0].shape)
    _, for_inputs, for_weights = subject.gradients(upstream, **options)

    def reference(inputs, weights):
        return np.sum(subject.expected(inputs, visible, weights)[0] * upstream)

    inputs = {k: x.astype("float64") for k, x in subject.inputs.items()}
    for name, found in {**for_inputs, **for_weights}.items():
        assert found is not None, f"no gradient reaches {name}"
        if name in subject.case.constant:
            assert (found == 0).all(), name
            continue
        direction = rng.normal(size=found.shape)
        along = central_difference(reference, inputs, subject.weights, name, direction)
        scale = np.linalg.norm(found) * np.linalg.norm(direction)
        assert_allclose(
            np.sum(found * direction),
            along,
            rtol=1e-3,
            atol=1e-4 * scale + 3e-5,  # rounding, where the slope is zero by theory
            err_msg=name,
        )


def central_difference(function, inputs, weights, name, direction, step=1e-5):
    """Slope of function(inputs, weights) when one of them moves along direction."""

    def at(distance):
        def moved(arrays):
            if name not in arrays:
                return arrays
            return {**arrays, name: arrays[name] + distance * direction}

        return function(moved(inputs), moved(weights))

    return (at(step) - at(-step)) / (2 * step)


@check("distribution")
def weights_are_a_distribution(subject):
    for options, visible in ((hide_keys(subject)), ({}, None)):
        _, weights = subject.with_weights(**options)
        seen = subject.case.visibility(subject.inputs, visible)
        if weights.ndim == 4:
            seen = np.broadcast_to(seen[:, None], weights.shape)
        assert weights.shape == seen.shape
        assert (weights >= 0).all()
        assert (weights[~seen] == 0).all()
        assert_allclose(weights.sum(-1), seen.any(-1), atol=1e-5)


@check("memory", "weights")
def values_are_mixed_and_do_not_choose(subject):
    """With the keys given apart, weights ignore values and the output is linear."""
    _, weights = subject.with_weights()
    doubled = {**subject.inputs, "value": 2 * subject.inputs["value"]}
    silent = {**subject.inputs, "value": 0 * subject.inputs["value"]}
    _, same = subject.with_weights(doubled)
    assert_allclose(same, weights, atol=1e-6)
    assert_allclose(
        subject.call(doubled) - subject.call(),
        subject.call() - subject.call(silent),
        atol=1e-4,
    )


@check("memory", "softmax")
def bias_is_added_to_the_scores(subject):
    _, weights = subject.with_weights()
    full = weights if weights.ndim == 4 else weights[:, None]
    bias = rng_of(subject.case.name, "bias").normal(size=full.shape)
    bias = bias.astype("float32")
    expected = full * np.exp(bias)
    total = expected.sum(-1, keepdims=True)
    expected = expected / np.where(total == 0, 1, total)
    for chosen in (bias, bias[:1, :1]):
        _, found = subject.with_weights(bias=keras.ops.convert_to_tensor(chosen))
        again = full * np.exp(chosen)
        again = again / np.where(again.sum(-1) == 0, 1, again.sum(-1))[..., None]
        assert_allclose(found.reshape(full.shape), again, rtol=1e-4, atol=1e-5)
    masked = key_mask(subject)
    _, found = subject.with_weights(
        bias=keras.ops.convert_to_tensor(bias), **{subject.case.mask: masked}
    )
    assert (np.moveaxis(found, -1, 1)[~masked] == 0).all()
