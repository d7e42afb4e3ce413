"""What stands in a formula of numbers is what its result was computed from."""

import re

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard
from regard import layers
from regard.cards.equations import unicode_equation
from tests.conformance.cases import CASES
from tests.conformance.subject import subject_of

NUMBER = r"−?[\d.]+(?:e[-+]\d+)?"


def explained(name, **options):
    """A row of a conformance case, whose weights are random."""
    case = next(each for each in CASES if each.name == name)
    subject = subject_of(case)
    first, *rest = (subject.inputs[each] for each in case.arguments)
    named = dict(zip(case.arguments[1:], rest, strict=True))
    return subject, regard.explain(subject.layer, first, **named, **options)


def line(steps, name):
    return unicode_equation(steps[name].numbers)


def numbers(text):
    return [float(each.replace("−", "-")) for each in re.findall(NUMBER, text)]


def test_the_largest_score_is_that_of_a_key_which_is_seen():
    query, key = np.ones((1, 1, 1)), np.array([[[3.0], [2.0], [1.0]]])
    seen = np.array([[[False, True, True]]])
    steps = regard.explain(layers.DotAttention(), query, key, attention_mask=seen)
    assert line(steps, "lead") == "2 − max((−∞, 2, 1)) = 0"


def test_one_of_softmax_is_told_by_its_number_and_hides_what_is_hidden():
    x = np.random.default_rng(0).normal(size=(1, 3, 4))
    seen = np.array([[[False, True, True]] * 3])
    layer = layers.DifferentialAttention(2, 3)
    text = line(regard.explain(layer, x, attention_mask=seen), "second_look")
    assert re.fullmatch(rf"softmax\(\(−∞, {NUMBER}, {NUMBER}\)\)[₁₂] = {NUMBER}", text)
    left, right, result = numbers(re.sub("[₁₂]", "", text))
    shares = np.exp([left, right]) / np.exp([left, right]).sum()
    assert result == pytest.approx(
        shares["₁₂".index(re.search("[₁₂]", text)[0])], abs=0.01
    )


def test_each_head_adds_its_own_part_of_a_bias():
    subject, steps = explained("set_block", head=1)
    bias = next(e for e in subject.layer.weights if e.path.endswith("query/bias"))
    added = numbers(line(steps, "projected_query").split(" + ")[-1].split(" = ")[0])
    assert_allclose(added, keras.ops.convert_to_numpy(bias)[3:], rtol=0.01)


def test_mixed_heads_are_mixed_at_the_key():
    text = line(explained("talking_heads", query=1)[1], "compared")
    terms, result = text.split(" = ")
    assert "(" not in terms
    one, first, other, second = numbers(terms.replace(" − ", " + −"))
    assert one * first + other * second == pytest.approx(numbers(result)[0], abs=0.03)


def test_a_product_inside_a_dot_product_has_brackets():
    text = line(explained("gated_pooling")[1], "compared")
    assert re.match(r"\([^()]*\) · \(\([^()]*\) ⊙ \([^()]*\)\) = ", text)


def test_nothing_is_divided_by_a_length_of_zero():
    steps = regard.explain(layers.CosineAttention(), np.zeros((1, 2, 3)))
    assert "/" not in line(steps, "query_direction")


def test_what_is_kept_of_an_array_goes_by_its_name():
    x = np.random.default_rng(0).normal(size=(1, 4, 3))
    text = line(regard.explain(layers.LinearAttention(2, 3), x), "memory")
    assert text.startswith("keyᵀ value = ")
