"""The page of an explanation holds what explain says, and nothing that can do harm."""

import json
import re

import numpy as np
import pytest

import regard
from regard import layers
from regard.reports.encoding import inflate
from regard.seeing.steps.working import Working
from tests.reports.examples import NASTY


def trace_of(layer, length=5, width=6, **options):
    x = np.random.default_rng(0).normal(size=(2, length, width)).astype("float32")
    return layer.trace(x, **options)


def data_of(path):
    page = path.read_text("utf-8")
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    return unshared(json.loads(inflate(found[1])))


def unshared(data):
    """With steps and numbers where the page keeps them once."""
    steps, vectors = data["steps"], data["vectors"]
    for step in steps:
        step["value"] = vectors[step["value"]]
    for row in (row for each in data["rows"] for head in each for row in head):
        row["steps"] = [steps[number] for number in row["steps"]]
    data["values"] = [
        [[vectors[number] for number in head] for head in each]
        for each in data["values"]
    ]
    return data


def test_every_row_says_what_explain_says(tmp_path):
    trace = trace_of(layers.MultiHeadAttention(2, 3), use_causal_mask=True)
    data = data_of(regard.explain_page(trace, path=tmp_path / "new" / "page.html"))
    assert [len(data["rows"]), len(data["rows"][0]), len(data["rows"][0][0])] == [
        2,
        2,
        5,
    ]
    steps = regard.explain(trace, example=1, head=1, query=3, language="ru")
    row = data["rows"][1][1][3]
    assert [each["sentence"]["ru"] for each in row["steps"]] == [
        each.sentence for each in steps
    ]
    assert row["seen"] == [True, True, True, True, False]
    np.testing.assert_allclose(row["weights"], trace.weights[1, 1, 3], atol=1e-5)
    assert all(not each["check"]["failed"] for each in row["steps"] if each["check"])
    assert data["toy"]
    assert data["scale"] == pytest.approx(3**-0.5)


def test_a_page_of_eight_heads_stays_small(tmp_path):
    for examples in (1, 2):
        given = np.random.default_rng(0).normal(size=(examples, 16, 64))
        trace = layers.MultiHeadAttention(8, 64).trace(given.astype("float32"))
        path = regard.explain_page(trace, path=tmp_path / "page.html")
        assert path.stat().st_size <= 0.97 * 300_000 * examples
    values = data_of(path)["values"]
    np.testing.assert_allclose(values, trace.value, rtol=6e-3)


def test_a_long_input_is_a_window(tmp_path):
    trace = trace_of(layers.AdditiveAttention(4), length=60)
    data = data_of(regard.explain_page(trace, path=tmp_path / "page.html", query=58))
    assert len(data["rows"][0][0]) == 24
    assert data["queries"][0][data["start"]] == "58"


def test_weights_that_are_no_softmax_cannot_be_played_with(tmp_path):
    trace = trace_of(layers.AdditiveAttention(4, normalizer="sparsemax"))
    assert not data_of(regard.explain_page(trace, path=tmp_path / "a.html"))["toy"]


def test_what_cannot_be_explained_leaves_no_page(tmp_path):
    trace = trace_of(layers.AdditiveAttention(4))
    no_value = regard.Trace(
        mechanism="additive",
        **{n: a for n, a in trace.arrays() if n != "value" and n != "context"},
        parameters=trace.parameters,
        settings=trace.settings,
    )
    with pytest.raises(ValueError, match="step 'mixed'"):
        regard.explain_page(no_value, path=tmp_path / "b.html")
    assert not (tmp_path / "b.html").exists()


@pytest.mark.parametrize("token", NASTY)
def test_tokens_stay_texts(tmp_path, token):
    trace = trace_of(layers.MultiHeadAttention(2, 3))
    words = [token, *"abcd"]
    path = regard.explain_page(
        trace, path=tmp_path / "page.html", query_tokens=words, key_tokens=words
    )
    page = path.read_text("utf-8")
    assert page.count("</script>") == 2
    assert token not in page or token == "long" * 2500
    assert "long" * 10 not in page
    assert len(data_of(path)["queries"][0][0]) <= 60


def test_tokens_of_each_example(tmp_path):
    trace = trace_of(layers.MultiHeadAttention(2, 3))
    words = [list("abcde"), ["חתול", "ישן", "על", "השטיח", "."]]
    path = regard.explain_page(
        trace, path=tmp_path / "page.html", query_tokens=words, key_tokens=words
    )
    data = data_of(path)
    assert data["queries"][1][0] == "חתול"
    assert data["directions"] == ["ltr", "rtl"]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (list("abcd"), "query_tokens must be .* each of the 5 queries. Got 4 texts"),
        ([list("abcde")], "query_tokens must be one list .* the 2 examples. Got 1"),
        ([list("abcde"), list("abc")], "query_tokens must be .* Got 3 texts"),
    ],
)
def test_every_place_of_a_page_needs_a_token(tmp_path, tokens, message):
    trace = trace_of(layers.MultiHeadAttention(2, 3))
    with pytest.raises(ValueError, match=message):
        regard.explain_page(trace, path=tmp_path / "page.html", query_tokens=tokens)
    assert not (tmp_path / "page.html").exists()


def test_rows_are_computed_once_for_both_languages(tmp_path, monkeypatch):
    trace = trace_of(layers.MultiHeadAttention(2, 3))
    rows = []
    steps_of = Working.steps

    def counted(self, card):
        rows.append((self.names["example"], self.row["head"], self.names["i"]))
        return steps_of(self, card)

    monkeypatch.setattr(Working, "steps", counted)
    page = regard.explain_page(trace, path=tmp_path / "page.html", query=3)
    assert len(rows) == len({*rows}) == 2 * 2 * 5
    row = data_of(page)["rows"][0][1][2]
    assert set(row["steps"][0]["sentence"]) == {"en", "ru"}


def test_weights_that_are_no_numbers_are_not_played_with(tmp_path):
    x = np.ones((1, 3, 6), "float32")
    x[0, 1, 2] = np.nan
    trace = layers.MultiHeadAttention(2, 3).trace(x)
    data = data_of(regard.explain_page(trace, path=tmp_path / "page.html"))
    assert data["toy"] is False
    assert data["rows"][0][0][0]["weights"][1] == "NaN"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    trace = trace_of(layers.MultiHeadAttention(2, 3))
    for path in (tmp_path, tmp_path / "file" / "page.html"):
        with pytest.raises(ValueError, match=r"path must be of a file that can be"):
            regard.explain_page(trace, path=path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
