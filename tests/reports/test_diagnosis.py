"""A diagnosis in words: every number from what was measured, in both languages."""

import re

import pytest

import regard
from regard.reports.diagnosis import ModelDiagnosis
from regard.seeing.diagnostics import Diagnosis
from regard.seeing.metrics import NOT_TESTED, SUPPORTS, Evidence, Head, Interval
from tests.seeing.test_evidence import QUESTIONS, examples, model

FACTS = Diagnosis(3, 0.5, 2.0, 0.3, 0, 0.2, {-1: 0.9, 0: 0.0, 1: 0.0}, 0.3, 0.0, True)
HEADS = (
    Head("encoder/self", 0, ("previous token",), FACTS, Interval(2.04, 1.9, 2.2, 50),
         12.0, Interval(3.3, 3.1, 3.5, 50), 4.4),
    Head("pooling", 0, (), FACTS, Interval(5.5, 5.0, 6.0, 48), 12.0, None, None),
)  # fmt: skip
EVIDENCE = (
    Evidence(QUESTIONS[0], SUPPORTS, Interval(0.123, 0.1, 0.15, 50), 0.0, {
        "attention": 0.3, "random": 0.177, "gradient": 0.31}),
    Evidence(QUESTIONS[1], SUPPORTS, Interval(0.2, 0.15, 0.25, 50), 0.05),
    Evidence(QUESTIONS[2], NOT_TESTED, Interval(0.02, -0.01, 0.05, 50),
             beside={"accuracy": 0.9}, reason="no seeds"),
    Evidence(QUESTIONS[3], NOT_TESTED, reason="no gradient"),
)  # fmt: skip


def test_the_text_in_english():
    text = str(ModelDiagnosis(50, HEADS, EVIDENCE, "pooling"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2] == "encoder/self  (n = 50)"
    assert re.split(r"\s{2,}", lines[4].strip()) == [
        "0", "2.0 [1.9; 2.2]", "12.0", "3.3 [3.1; 3.5]", "4.4", "previous token",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", lines[8].strip())[3:] == ["–", "–", "–"]
    assert "[supports] Do tokens with large weights" in text
    number = "minus random 0.123 [0.100; 0.150], n = 50; must exceed 0.000"
    assert number in " ".join(text.split())
    assert text.count("[not tested]") == 2 and "pass seeds=" in text
    assert text.endswith("not why the model answered.")


def test_both_languages_say_the_same_numbers():
    given = (50, HEADS, EVIDENCE, "pooling")
    english, russian = (str(ModelDiagnosis(*given, each)) for each in ("en", "ru"))
    pointed = russian.replace("−", "-").replace(",", ".")
    numbers = [re.findall(r"-?\d+\.\d+", each) for each in (english, pointed)]
    assert not re.search(r"\d\.\d", russian)
    assert numbers[0] == numbers[1] and len(numbers[0]) == 27
    assert "предыдущий токен" in russian and "[подтверждает]" in russian
    words = re.sub(r"AOPC|pooling|encoder/self|seeds=|embedding=|n = |τ", "", russian)
    assert not re.findall("[a-zA-Z]+", words)


def test_a_classifier_is_diagnosed_in_one_call():
    x, labels = examples(20)
    made = model(reads=True)
    found = regard.diagnose(made, x, labels, language="ru", permutations=5)
    assert found.count == 20 and found.layer == "pooling"
    (head,) = found.heads
    read = f"{head.effective.mean:.1f} [{head.effective.low:.1f}"
    assert read.replace(".", ",") in str(found)
    first = found.evidence[0].interval
    said = f"{first.mean:.3f} [{first.low:.3f}; {first.high:.3f}], n = 20"
    assert said.replace(".", ",").replace("-", "−") in str(found)
    alone = regard.diagnose(made, x)
    assert alone.evidence == () and "pass labels" in str(alone)
    assert repr(alone) == str(alone)


def test_what_cannot_be_diagnosed_is_refused():
    x, labels = examples(4)
    with pytest.raises(ValueError, match="language must be"):
        regard.diagnose(model(reads=True), x, language="de")
    with pytest.raises(ValueError, match="as many examples"):
        regard.diagnose(model(reads=True), [x, x[:2]])
    with pytest.raises(TypeError, match="unknown"):
        regard.diagnose(model(reads=True), x, labels, unknown=1)
    with pytest.raises(ValueError, match="layers must name"):
        regard.diagnose(model(reads=True), x, layers="other")


def test_a_small_number_is_not_shown_as_nothing():
    tiny = Evidence(QUESTIONS[0], SUPPORTS, Interval(2.1e-5, 1e-5, 3e-5, 9), 0.0)
    text = str(ModelDiagnosis(9, HEADS, (tiny,), "pooling"))
    assert "2e-05 [1e-05; 3e-05], n = 9; must exceed 0.000" in " ".join(text.split())


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_could_not_be_measured_is_a_dash(language):
    nothing = Interval(*[float("nan")] * 3, 0)
    head = Head("self", 0, (), FACTS, nothing, float("nan"), nothing, float("nan"))
    text = str(ModelDiagnosis(1, (head,), language=language))
    assert "nan" not in text.lower()
    assert re.split(r"\s{2,}", text.splitlines()[4].strip()) == ["0", *["–"] * 5]
