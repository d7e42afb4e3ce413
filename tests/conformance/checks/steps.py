"""Recurrent use: prepare once, step query by query, equal to the full call."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import key_mask
from tests.conformance.subject import numpy


def steps(subject, mask, order=None):
    """Contexts (B, T, D) and weights (B, H, T, S), one query at a time."""
    layer = subject.layer
    queries = subject.inputs[subject.case.queries]
    memory = prepared(subject, subject.inputs, mask)
    state = layer.initial_state(memory)
    if order is not None:
        memory, state = take(memory, order), take(state, order)
    contexts, weights = [], []
    for i in range(queries.shape[1]):
        query = queries[:, i]
        query = query if order is None else query[order]
        query = keras.ops.convert_to_tensor(query)
        context, weight, state = subject.step(query, memory, state)
        contexts.append(numpy(context))
        weights.append(numpy(weight))
    return np.stack(contexts, 1), np.stack(weights, -2), memory, state


def take(structure, order):
    """Reorder the batch of every leaf, as a beam search does."""
    return keras.tree.map_structure(
        lambda leaf: keras.ops.take(leaf, np.array(order), axis=0), structure
    )


def prepared(subject, inputs, mask):
    """The memory of these inputs."""
    memory = {name: inputs[name] for name in subject.case.memory}
    return subject.layer.prepare(**memory, value_mask=mask)


@check("steps")
def steps_equal_the_full_call(subject):
    options = {}
    if subject.case.sees is not None:  # the first step stands at position 0
        queries = subject.inputs[subject.case.queries]
        options["query_positions"] = np.arange(queries.shape[1])
    for mask in (None, key_mask(subject)):
        contexts, weights, *_ = steps(subject, mask)
        options |= {} if mask is None else {"value_mask": mask}
        output, expected = subject.with_weights(**options)
        assert_allclose(contexts, output, rtol=1e-5, atol=1e-6)
        expected = expected if expected.ndim == 4 else expected[:, None]
        assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)


@check("steps")
def steps_follow_a_reordered_batch(subject):
    order = [1, 0]
    mask = key_mask(subject)
    contexts, weights, *_ = steps(subject, mask)
    turned, turned_weights, *_ = steps(subject, mask, order)
    assert_allclose(turned, contexts[order], rtol=1e-5, atol=1e-6)
    assert_allclose(turned_weights, weights[order], rtol=1e-5, atol=1e-6)


@check("steps")
def states_are_explicit_and_batch_first(subject):
    batch = key_mask(subject).shape[0]
    first = steps(subject, None)
    _, _, memory, state = first
    before = {name: numpy(leaf) for name, leaf in memory.items()}
    assert "mask" in memory
    for leaf in keras.tree.flatten([memory, state]):
        assert leaf.shape[0] == batch
    again = steps(subject, None)
    assert_allclose(again[0], first[0], rtol=0, atol=0)
    for name, leaf in memory.items():
        np.testing.assert_array_equal(numpy(leaf), before[name])


@check("steps")
def steps_ignore_junk_under_the_mask(subject):
    keep = key_mask(subject)
    clean, *_ = steps(subject, keep)
    spoilt = dict(subject.inputs)
    for name in subject.case.memory:
        spoilt[name] = np.where(keep[..., None], spoilt[name], np.float32("nan"))
    memory = prepared(subject, spoilt, keep)
    query = keras.ops.convert_to_tensor(subject.inputs[subject.case.queries][:, 0])
    state = subject.layer.initial_state(memory)
    context, _, _ = subject.step(query, memory, state)
    assert_allclose(numpy(context), clean[:, 0], rtol=1e-6, atol=1e-7)


@check("steps")
def steps_over_an_empty_memory_are_zero(subject):
    keep = key_mask(subject)
    keep[1] = False
    contexts, weights, *_ = steps(subject, keep)
    full = subject.call(value_mask=keep)
    assert (weights[1] == 0).all() and np.isfinite(contexts).all()
    assert_allclose(contexts[1], full[1], atol=1e-6)
