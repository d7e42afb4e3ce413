"""What is to be blacked out reaches the page in no form."""

import re

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example, Explanation, Timeline, Training
from regard.reports.encoding import inflate
from regard.reports.page import render_report
from regard.reports.redaction import Redaction
from regard.reports.report import report

SECRET = "Anna Karenina"
TOKENS = "▁Said ▁An na ▁Kar en ina . </s>".split()


def record(tokens):
    return AttentionRecord(
        weights=np.full((1, len(tokens)), 1 / len(tokens)),
        query_tokens=["▁Anna"],
        key_tokens=tokens,
    )


def example():
    return Example(
        source=f"Said {SECRET}.",
        output=SECRET,
        references=[f"by {SECRET}"],
        scores={SECRET: 1.0},
        attention=record(TOKENS),
        other=record(TOKENS),
        explanation=Explanation(
            probabilities={SECRET: 1.0}, compared={SECRET: np.ones(len(TOKENS))}
        ),
        timeline=Timeline(keys=len(TOKENS), channels={SECRET: np.ones(len(TOKENS))}),
    )


RULES = [
    ["anna", "KARENINA"],
    [re.compile("Anna(?: Karenina)?"), "karenina"],
    lambda text: re.sub("Anna|Karenina", "somebody", text),
]


@pytest.mark.parametrize("rule", RULES, ids=["words", "patterns", "function"])
def test_no_text_and_no_token_keeps_the_name(rule, tmp_path):
    training = Training(steps=[1], records=[[record(TOKENS)]])
    given = [example(), Example(source=SECRET, output="", training=training)]
    path = report(
        given,
        path=tmp_path / "a.html",
        redact=rule,
        title=SECRET,
        facts={SECRET: SECRET},
    )
    page = path.read_text("utf-8")
    texts = re.sub('<script type="text/plain".*?</script>', "", page)  # packed bytes
    for word in ("Anna", "Karenina", '"An"', '"na"', '"Kar"', '"ina"'):
        assert word not in texts
    assert "Said" in page
    inflate(re.search(r'id="w0">([^<]*)<', page)[1])


def test_tokens_keep_their_marks_and_their_lengths():
    redacted = Redaction(["anna karenina"]).tokens(TOKENS)
    assert redacted == "▁Said ▁██ ██ ▁███ ██ ███ . </s>".split()
    assert Redaction("ann").tokens(list("Joanna")) == list("Jo███a")


def test_other_texts_stay_as_they_are():
    plain = Example(source="Nothing here.", output="", attention=record(["▁a", "</s>"]))
    again = Redaction(["karenina"]).example(plain)
    assert render_report([again]) == render_report([plain])


@pytest.mark.parametrize("rule", [[""], [3], 7])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises((ValueError, TypeError)):
        Redaction(rule)


def test_a_pattern_keeps_its_flags_and_its_groups():
    rules = [re.compile("anna", re.IGNORECASE), re.compile(r"(\w)\1")]
    assert Redaction(rules).text("Anna, too") == "████, t██"
    assert Redaction(rules).tokens(["▁ANNA", "▁zoo"]) == ["▁████", "▁███"]


def test_names_of_models_are_redacted(tmp_path):
    path = report([example()], path=tmp_path / "a.html", names=("Anna", "B"),
                  redact=["anna"])  # fmt: skip
    assert "Anna" not in path.read_text("utf-8")
