"""A record holds together: shapes, tokens, masks with their causes."""

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example
from regard.trace import Trace

WEIGHTS = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
TOKENS = {"query_tokens": ["a", "b"], "key_tokens": ["x", "y", "z"]}


def test_one_map_becomes_one_head():
    record = AttentionRecord(weights=WEIGHTS, **TOKENS)
    assert record.weights.shape == (1, 2, 3)
    assert record.weights.dtype == np.float32
    assert record.heads == ("1",)
    np.testing.assert_allclose(record.average(), WEIGHTS)


def test_the_first_cause_that_masks_a_cell_is_shown():
    causal = np.tril(np.ones((2, 3), bool))
    padding = np.array([True, True, False])
    record = AttentionRecord(
        weights=WEIGHTS, masks={"padding": padding, "causal": causal}, **TOKENS
    )
    np.testing.assert_array_equal(record.causes()[0], [[0, 2, 1], [0, 0, 1]])
    np.testing.assert_array_equal(record.allowed()[0], [[1, 0, 0], [1, 1, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((2, 2, 2, 2))}, r"weights must have shape .*pick one"),
        ({"query_tokens": ["a"]}, r"query_tokens must be a sequence of 2 .* Got 1"),
        ({"key_tokens": "xyz"}, r"key_tokens must be .* Got the string 'xyz'"),
        ({"heads": ["1", "2"]}, r"heads must be a sequence of 1 strings"),
        ({"scores": np.zeros((3, 2))}, r"scores must have the shape of weights"),
        ({"masks": {"padding": np.ones(3)}}, r"masks\['padding'\] must be boolean"),
        ({"masks": {"user": np.ones(2, bool)}}, r"masks\['user'\] must have shape"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        AttentionRecord(**({"weights": WEIGHTS} | TOKENS | change))


def test_a_trace_gives_one_example_without_its_padding():
    rng = np.random.default_rng(0)
    weights = rng.random((2, 4, 5, 6)).astype("float32")
    padding = np.zeros((2, 1, 1, 6), bool)
    padding[1, ..., :2] = True
    trace = Trace(
        mechanism="dot", layer="m/dot", weights=weights, masks={"padding": padding}
    )
    record = AttentionRecord.from_trace(
        trace, ["a", "b"], ["x", "y", "z"], example=1, key_language="ru"
    )
    np.testing.assert_array_equal(record.weights, weights[1, :, :2, :3])
    assert record.layer == "m/dot" and record.key_language == "ru"
    np.testing.assert_array_equal(record.allowed()[3], [[1, 1, 0], [1, 1, 0]])


def test_a_trace_without_weights_is_refused():
    with pytest.raises(ValueError, match="must hold weights"):
        AttentionRecord.from_trace(Trace(mechanism="dot"), ["a"], ["x"])


def test_an_example_takes_one_reference_and_one_record():
    record = AttentionRecord(weights=WEIGHTS, **TOKENS)
    example = Example(source="s", output="o", references="r", attention=record)
    assert example.references == ("r",)
    assert example.records() == (record,)
    assert Example(source="s", output="o").records() == ()


def test_what_is_no_table_is_refused():
    with pytest.raises(
        ValueError, match=r"must be a table of numbers. Got .*take maps"
    ):
        AttentionRecord(**({"weights": ["a"]} | TOKENS))
