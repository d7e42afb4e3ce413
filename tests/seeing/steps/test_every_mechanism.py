"""Every mechanism can say how its numbers came about, and is right."""

import keras
import pytest

import regard
from regard.cards import card, cards
from regard.cards.typography import formula_in
from tests.conformance.cases import CASES
from tests.conformance.subject import subject_of

# What a card of each kind cannot show by a layer's call alone is in its own test.
SAMPLE = {"additive", "multi_head", "pooling", "retention"}
ROWS = [
    pytest.param(case, id=case.name)
    for case in CASES
    if keras.backend.backend() == "torch" or case.name in SAMPLE
]


def explained(case, language, **options):
    subject = subject_of(case)
    first, *rest = case.arguments
    others = {name: subject.inputs[name] for name in rest}
    return regard.explain(
        subject.layer, subject.inputs[first], language=language, **options, **others
    )


@pytest.mark.parametrize("case", ROWS)
def test_all_steps_agree_with_the_layer(case):
    english, russian = (explained(case, language) for language in ("en", "ru"))
    wrong = [
        (step.name, step.check)
        for step in english
        if step.check is not None and step.check.failed
    ]
    assert not wrong, f"{wrong}\n{english}"
    checked = {check.what for check in english.checks if check.passed}
    assert "output" in checked, f"only {checked} is checked"
    assert [each.name for each in english] == [each.name for each in russian]
    for one, other in zip(english, russian, strict=True):
        assert one.title != other.title
        assert formula_in(one.numbers, "ru") == other.numbers
    assert "{" not in str(english) + str(russian)


@pytest.mark.parametrize("name", [each.name for each in cards()])
def test_formulas_can_be_shown_in_a_terminal(name):
    from regard.cards.equations import unicode_equation

    for step in card(name).steps:
        assert "\\" not in unicode_equation(step.formula)
        if not step.use:
            assert set(step.words) == {"en", "ru"}, step.name
