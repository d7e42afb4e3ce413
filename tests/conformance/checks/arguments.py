"""Calls are those of Keras' attention layers, in the same order, then ours."""

import inspect

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import hide_pairs, key_mask
from tests.conformance.subject import Subject, numpy, rng_of

KERAS_ORDER = [
    "query",
    "value",
    "key",
    "query_mask",
    "value_mask",
    "key_mask",
    "attention_mask",
    "return_attention_scores",
    "training",
    "use_causal_mask",
]
OURS = ["bias", "query_positions", "key_positions", "state"]


@check("memory")
def call_takes_the_arguments_of_keras_in_order(subject):
    parameters = list(inspect.signature(subject.layer.call).parameters.values())
    names = [each.name for each in parameters]
    assert names[: len(KERAS_ORDER + OURS)] == KERAS_ORDER + OURS
    for each in parameters[len(KERAS_ORDER) :]:
        assert each.kind is inspect.Parameter.KEYWORD_ONLY


@check("memory")
def positional_arguments_work(subject):
    options, _ = hide_pairs(subject)
    query, value, key = (subject.inputs[n] for n in ("query", "value", "key"))
    keep, pairs = options["value_mask"], options["attention_mask"]
    found = numpy(
        subject.layer(query, value, key, None, keep, None, pairs, True, False, True)
    )
    expected = subject.with_weights(use_causal_mask=True, **options)
    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[1], expected[1])


@check("memory")
def lists_of_inputs_and_masks_are_unpacked(subject):
    query_mask = np.array([[True, False, True], [True, True, True]])
    keep = key_mask(subject)
    inputs = [subject.inputs[name] for name in ("query", "value", "key")]
    expected = subject.call(query_mask=query_mask, value_mask=keep)
    found = numpy(subject.layer(inputs, mask=[query_mask, keep]))
    assert_array_equal(found, expected)
    found = numpy(subject.layer(inputs, mask=[query_mask, None, keep]))
    assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="inputs must be query, value, key"):
        subject.layer(inputs, inputs[1])


@check("memory")
def key_is_the_value_and_value_the_query_by_default(subject):
    layer = subject.case.make()
    inputs = rng_of(subject.case.name, "self").normal(size=(2, 4, 6)).astype("float32")
    model = keras.Sequential([keras.Input((None, 6)), layer])
    expected = numpy(layer(inputs, inputs, inputs))
    assert_array_equal(numpy(layer(inputs)), expected)
    assert_array_equal(numpy(layer(inputs, inputs)), expected)
    assert_allclose(numpy(model(inputs)), expected, rtol=1e-6, atol=1e-7)


@check("memory")
def scopes_work_in_the_call_and_in_the_constructor(subject):
    scope = regard.Window(1, 1) | regard.Prefix(1)
    queries, keys = subject.inputs["query"].shape[1], key_mask(subject).shape[1]
    visible = np.zeros((2, queries, keys), bool)
    for i, j in np.ndindex(queries, keys):
        visible[:, i, j] = abs(i + keys - queries - j) <= 1 or j < 1
    expected, weights = subject.expected(visible=visible)
    output, shown = subject.with_weights(attention_mask=scope)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(shown, weights, rtol=1e-4, atol=1e-5)
    if subject.case.sees is None:
        scoped = Subject(subject.case, scope=scope)
        assert_allclose(scoped.call(), expected, rtol=1e-4, atol=1e-5)


@check("memory")
def padding_is_a_scope_too(subject):
    lengths = np.array([3, 5], "int32")
    keep = np.arange(key_mask(subject).shape[1]) < lengths[:, None]
    output, weights = subject.with_weights(attention_mask=regard.Padding(lengths))
    expected, expected_weights = subject.with_weights(value_mask=keep)
    assert_allclose(output, expected, rtol=1e-5, atol=1e-6)
    assert_allclose(weights, expected_weights, rtol=1e-5, atol=1e-6)


@check("memory")
def packed_documents_are_a_scope_too(subject):
    """Queries are the last of the packed tokens."""
    keys, queries = key_mask(subject).shape[1], subject.inputs["query"].shape[1]
    numbers = np.array([[0, 0, 1, 1, 2], [3, 3, 3, 4, 4]], "int32")[:, :keys]
    own = numbers[:, -queries:, None] == numbers[:, None]
    output, weights = subject.with_weights(attention_mask=regard.Documents(numbers))
    expected, expected_weights = subject.expected(visible=own)
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)


@check("memory")
def unknown_options_are_refused(subject):
    with pytest.raises(ValueError, match="normalizer must be one of"):
        subject.case.make(normalizer="softmx")
    with pytest.raises(ValueError, match="scope must be a scope"):
        subject.case.make(scope=np.ones((3, 5), bool))
    with pytest.raises(ValueError, match="scope must not hold data"):
        subject.case.make(scope=regard.Padding(np.array([3, 5], "int32")))
    for wrong in (-0.1, 1.0, 2):
        with pytest.raises(ValueError, match=r"dropout must .*Got"):
            subject.case.make(dropout=wrong)
    with pytest.raises((TypeError, ValueError), match="unknown_option"):
        subject.case.make(unknown_option=1)


@check("memory")
def inputs_that_do_not_fit_are_refused(subject):
    value = subject.inputs["value"]
    key = subject.inputs["key"]
    with pytest.raises(ValueError, match="key and value the length"):
        subject.call({**subject.inputs, "key": key[:, :-1]})
    with pytest.raises(ValueError, match="must share the batch"):
        subject.call({**subject.inputs, "value": value[:1], "key": key[:1]})
    with pytest.raises(ValueError, match="must have shape"):
        subject.case.make()(value[0])
