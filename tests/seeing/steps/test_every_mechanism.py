"""Every mechanism can say how its numbers came about, and is right."""

import keras
import pytest

import regard
from regard.cards import card, cards
from tests.conformance.cases import CASES
from tests.conformance.subject import subject_of

# What a card of each kind cannot show by a layer's call alone is in its own test.
SAMPLE = {"additive", "multi_head", "pooling", "retention"}
# Rows that cannot be told yet, each with the reason.
EXCEPTIONS = {}


def marks_of(case):
    if case.name in EXCEPTIONS:
        yield pytest.mark.xfail(strict=True, reason=EXCEPTIONS[case.name])


ROWS = [
    pytest.param(case, id=case.name, marks=[*marks_of(case)])
    for case in CASES
    if keras.backend.backend() == "torch" or case.name in SAMPLE
]


def card_of(layer):
    """The card of a layer's mechanism, which by its class where it has none."""
    layer = getattr(layer, "cell", layer) if type(layer).__name__ == "RNN" else layer
    try:
        return card(getattr(layer, "mechanism", "") or type(layer).__name__)
    except ValueError:
        return None


def parts_of(layer):
    """What it is put together from."""
    names = ("normalizer", "position", "query_key_norm")
    found = (getattr(layer, name, None) for name in names)
    return [each for each in found if each is not None]


def has_steps(part):
    found = card_of(part)
    return found is not None and bool(found.steps)


def explained(case, language, **options):
    subject = subject_of(case)
    first, *rest = case.arguments
    others = {name: subject.inputs[name] for name in rest}
    return regard.explain(
        subject.layer, subject.inputs[first], language=language, **options, **others
    )


@pytest.mark.parametrize("case", ROWS)
def test_all_steps_agree_with_the_layer(case):
    layer = subject_of(case).layer
    if lacking := [each for each in (layer, *parts_of(layer)) if not has_steps(each)]:
        pytest.xfail(f"no steps yet: {lacking}")
    english, russian = (explained(case, language) for language in ("en", "ru"))
    wrong = [
        (step.name, step.check)
        for step in english
        if step.check is not None and not step.check.passed
    ]
    assert not wrong, f"{wrong}\n{english}"
    checked = {check.what for check in english.checks}
    assert "output" in checked, f"only {checked} is checked"
    assert [each.name for each in english] == [each.name for each in russian]
    for one, other in zip(english, russian, strict=True):
        assert one.title != other.title
        assert one.numbers == other.numbers
    assert "{" not in str(english) + str(russian)


@pytest.mark.parametrize("name", [each.name for each in cards()])
def test_formulas_can_be_shown_in_a_terminal(name):
    from regard.cards.equations import unicode_equation

    for step in card(name).steps:
        assert "\\" not in unicode_equation(step.formula)
        if not step.use:
            assert set(step.words) == {"en", "ru"}, step.name
