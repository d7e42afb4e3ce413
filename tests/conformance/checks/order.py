"""Which orders matter: not that of the batch, of the keys only where it should."""

import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import hide_keys, hide_pairs, key_mask


@check()
def batch_permutation_permutes_the_output(subject):
    options = {}
    if "masked" in subject.case.tags:
        options, _ = hide_keys(subject)
    swapped = {name: array[::-1] for name, array in subject.inputs.items()}
    turned = {name: mask[::-1] for name, mask in options.items()}
    assert_allclose(
        subject.call(swapped, **turned),
        subject.call(**options)[::-1],
        rtol=1e-5,
        atol=1e-6,
    )


@check("order_free")
def key_permutation_permutes_the_weights_alone(subject):
    order = np.array([3, 0, 4, 1, 2])
    permuted = {
        name: array[:, order] if name in subject.case.memory else array
        for name, array in subject.inputs.items()
    }
    options = {subject.case.mask: key_mask(subject)}
    if "memory" in subject.case.tags:
        options, _ = hide_pairs(subject)
    moved = {name: mask[..., order] for name, mask in options.items()}
    output, weights = subject.with_weights(**options)
    again, again_weights = subject.with_weights(permuted, **moved)
    assert_allclose(again, output, rtol=1e-5, atol=1e-6)
    assert_allclose(again_weights, weights[..., order], rtol=1e-5, atol=1e-6)


@check("memory")
def query_permutation_permutes_the_output(subject):
    """Queries do not see each other."""
    order = np.array([2, 0, 1])
    inputs = {**subject.inputs, "query": subject.inputs["query"][:, order]}
    keys = key_mask(subject).shape[1]
    places = np.arange(keys - len(order), keys)
    found = subject.call(inputs, query_positions=places[order])
    assert_allclose(found, subject.call()[:, order], rtol=1e-5, atol=1e-6)


@check("memory")
def the_future_does_not_reach_the_past(subject):
    """Causal, aligned to the last query, whatever the lengths."""
    keys, queries = key_mask(subject).shape[1], subject.inputs["query"].shape[1]
    before = subject.call(use_causal_mask=True)
    for changed in range(keys):
        for junk in (7.0, np.nan):
            inputs = dict(subject.inputs)
            for name in subject.case.memory:
                inputs[name] = inputs[name].copy()
                inputs[name][:, changed] = junk
            after = subject.call(inputs, use_causal_mask=True)
            past = [i for i in range(queries) if i + keys - queries < changed]
            assert_allclose(after[:, past], before[:, past], rtol=1e-6, atol=1e-7)


@check("memory")
def causal_shows_the_present_and_the_past(subject):
    keys, queries = key_mask(subject).shape[1], subject.inputs["query"].shape[1]
    causal = np.tril(np.ones((2, queries, keys), bool), keys - queries)
    output, weights = subject.with_weights(use_causal_mask=True)
    expected, expected_weights = subject.expected(visible=causal)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)
