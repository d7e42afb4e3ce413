"""The language in which cards say how numbers come about."""

import numpy as np
import pytest

from regard.seeing.steps.expressions import computed, parsed
from regard.seeing.steps.group import Group
from regard.seeing.steps.numbers import number
from regard.seeing.steps.writer import Writer

NAMES = {
    "query": np.array([1.0, 2.0]),
    "key": np.array([[1.0, 0.0], [0.0, -1.0], [2.0, 2.0]]),
    "weights": np.array([0.5, 0.25, 0.25]),
    "p": Group("p", {"kernel": np.eye(2), "scale": np.array(0.5)}),
    "settings": Group("settings", {"use_bias": False}),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dot(query, key)", [1.0, -2.0, 6.0]),
        ("sum(query * key[0]) ** 2 / 2", 0.5),
        ("mix(weights, key)", [1.0, 0.25]),
        ("key[1:, 0] @ query if not settings.use_bias else 0", 4.0),
        ("fold(lambda s, k: 0.5 * s + k, zeros(2), key)[-1]", [2.25, 1.5]),
        ("softmax(dot(query, key), weights > 0.3)", [1.0, 0.0, 0.0]),
        ("0 <= 1 < 2 and p.scale or 3", 0.5),
    ],
)
def test_values(text, expected):
    np.testing.assert_allclose(computed(parsed(text), NAMES), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("missing + 1", "'missing' is neither in the trace nor a function"),
        ("p.bias", "p has no 'bias'. It has: kernel, scale"),
        ("[x for x in key]", "a card cannot say"),
        ("query.__class__", "only groups have parts"),
    ],
)
def test_what_cannot_be_said(text, message):
    with pytest.raises(ValueError, match=message):
        computed(parsed(text), NAMES)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("dot(query, key)", 2, r"(1, 2) \cdot (2, 2)"),
        ("p.scale * (query + key)", 0, r"0.5 \cdot ((1, 2) + (1, 0))"),
        ("query @ p.kernel + (1 if settings.use_bias else 0)", None,
         r"(1, 2) \,  \mathrm{kernel}"),
        ("exp(weights - max(weights))", 1, r"\exp(0.25 - \max((0.5, 0.25, 0.25)))"),
        ("mix(weights, key)", None,
         r"0.5 \cdot (1, 0) + 0.25 \cdot (0, -1) + 0.25 \cdot (2, 2)"),
    ],
)  # fmt: skip
def test_formulas_with_numbers(text, key, expected):
    writer = Writer(NAMES, frozenset({"key", "weights"}), key)
    assert writer.write(parsed(text)).replace("  ", " ") == expected.replace("  ", " ")


def test_numbers_far_from_one():
    assert number(-1.234e-5) == r"-1.23 \cdot 10^{-5}"
    assert number(-np.inf) == r"-\infty"
    assert number(np.inf) == r"\infty"
    assert number(123456.0) == r"1.23 \cdot 10^{5}"
    assert number(-1e-320) != "0"
