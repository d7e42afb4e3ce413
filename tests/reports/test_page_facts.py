"""The page says how its maps were captured."""

import re

import keras
import numpy as np
import pytest

import regard
from regard import layers
from regard.reports import Example, render_report

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
KEEP = np.array([[1, 1, 1], [1, 1, 0]], bool)


def test_facts_may_be_given_in_each_language(tmp_path):
    facts = {"en": {"task": "dates"}, "ru": {"задача": "даты"}}
    example = Example(source="s", output="o")
    page = regard.report(
        [example], path=tmp_path / "a.html", facts=facts, redact="date"
    ).read_text("utf-8")
    lists = r'<dl class="facts" data-lang="(\w+)" lang="\1">(.*?)</dl>'
    shown = dict(re.findall(lists, page))
    assert shown == {
        "en": "<div><dt>task</dt><dd>████s</dd></div>",
        "ru": "<div><dt>задача</dt><dd>даты</dd></div>",
    }
    page = render_report([example], facts={"en": "a word", "ru": "слово"})
    assert "<dt>en</dt><dd>a word</dd>" in page  # names like any others


def test_captured_facts_stand_in_each_language_too(tmp_path):
    layer = layers.AdditiveAttention(3)
    facts = {"en": {"task": "none"}, "ru": {"задача": "никакой"}}
    page = regard.report(layer, X, X, path=tmp_path / "a.html", facts=facts).read_text(
        "utf-8"
    )
    english, russian = page.split('<dl class="facts"')[1:]
    assert "<dt>layers</dt>" in english and "<dd>none</dd>" in english
    assert "<dt>слои</dt>" in russian and "<dd>никакой</dd>" in russian


def facts_of(path):
    text = path.read_text("utf-8")
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))


@pytest.fixture(scope="module")
def layer():
    return keras.layers.MultiHeadAttention(2, 3, dropout=0.3, name="mha")


def test_inference_and_masks_are_said(layer, tmp_path):
    with regard.capture(layer) as maps:
        layer(X, X, value_mask=KEEP, use_causal_mask=True)
    path = tmp_path / "page.html"
    facts = facts_of(regard.report(maps, path=path))
    assert facts["mode"] == "inference" and facts["masks"] == "padding, causal"
    facts = facts_of(regard.report(maps, path=path, language="ru"))
    assert facts["режим"] == "предсказание" and facts["маски"] == "заполнение, будущее"


def test_training_is_said_with_a_word_on_dropout(layer, tmp_path):
    with regard.capture(layer) as maps:
        layer(X, X, training=True)
    path = tmp_path / "page.html"
    assert "dropout" in facts_of(regard.report(maps, path=path))["mode"]
    russian = facts_of(regard.report(maps, path=path, language="ru"))
    assert "дропаут" in russian["режим"]
    assert "masks" not in facts_of(regard.report(layer, X, X, path=path))
