"""The page as a file: offline, escaped, small, complete without scripts too."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import regard
from regard import layers
from regard.cards.typography import numeral
from regard.reports import AttentionRecord, Example, render_report, write_report
from regard.reports import page as page_module
from regard.reports.diagnosis import ModelDiagnosis
from regard.reports.encoding import CODINGS, inflate
from regard.seeing.metrics import Evidence, Interval
from tests.reports.examples import NASTY, make_record, nasty, translation


class Reader(HTMLParser):
    """Collects elements, attributes, and the text of each element with an id."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], {}, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        self.open = dict(attributes).get("id", tag)

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        self.texts[self.open] = self.texts.get(self.open, "") + data


def read(examples, **more):
    text = render_report(examples, **more)
    return text, Reader(text)


def test_the_page_may_load_nothing():
    text, reader = read([translation()])
    policy = next(
        value
        for tag, name, value in reader.attributes
        if tag == "meta" and name == "content" and "default-src" in value
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert not {name for _, name, _ in reader.attributes} & {"src", "href"}
    assert "http" not in re.sub(r'http-equiv="', "", text)
    program = inflate(reader.texts["program"]).decode()
    for word in ("innerHTML", "document.write", "eval(", "fetch(", "http://www.w3"):
        assert word not in text
        assert (word in program) == (word == "http://www.w3")  # SVG's name, no address


def test_all_that_needs_no_script_stands_before_the_data():
    answer = Evidence("uniform", "supports", Interval(0.5, 0.4, 0.6, 4), 0.1)
    evidence = ModelDiagnosis(4, (), (answer,))
    page = render_report([translation()], facts={"task": "dates"}, evidence=evidence)
    shell, _, rest = page.partition("<script")
    for part in ("<h1>", 'class="facts"', 'id="evidence-en"', "<noscript>", "<footer>"):
        assert part in shell
        assert part not in rest


def test_every_page_says_from_what_it_counts(tmp_path):
    report = render_report([translation()])
    trace = layers.AdditiveAttention(3).trace(np.ones((1, 2, 4), "float32"))
    steps = regard.explain_page(trace, path=tmp_path / "a.html").read_text("utf-8")
    assert 'data-t="from_1"' in report and 'data-t="from_0"' in steps
    spoken = json.loads(inflate(re.search('id="phrases">([^<]*)<', report)[1]))
    told = json.loads(inflate(re.search('id="data">([^<]*)<', steps)[1]))["phrases"]
    for language, here in (("en", "count from 1 here"), ("ru", "считаются здесь с 1")):
        assert here in spoken[language]["from_1"]
        assert "Python" in told[language]["from_0"]


def test_texts_are_data_and_never_markup():
    text, reader = read([nasty()], title=NASTY[0], facts={NASTY[1]: NASTY[2]})
    assert (
        reader.tags.count("script") == 6
    )  # data, phrases, numbers, style, program, start
    assert "img" not in reader.tags
    assert "alert(1)</script>" not in text
    assert "\u202e" not in text and "\x00" not in text
    entry = json.loads(reader.texts["data"])["examples"][0]
    queries = entry["sides"][entry["maps"][0]["query"]]["text"]
    assert queries[0] == NASTY[0]
    assert queries[4] == "U+202Eright␣to␣left"
    assert queries[-1] == "long" * 50 + "… (+9800)"
    text.encode("utf-8")


def test_the_page_holds_the_weights_exactly():
    example = translation()
    _, reader = read([example])
    data = json.loads(reader.texts["data"])
    drawn = data["examples"][0]["maps"][0]
    numbers = inflate(reader.texts["w0"])
    weights = np.frombuffer(numbers, "<f4", count=16, offset=drawn["start"])
    np.testing.assert_array_equal(weights, example.attention.weights.ravel())
    causes = np.frombuffer(numbers, "u1", count=16, offset=drawn["causeStart"])
    np.testing.assert_array_equal(causes.reshape(4, 4), [[0, 0, 0, 1]] * 4)
    assert drawn["causes"] == ["padding"]
    assert data["error"] == 0


def test_many_weights_are_stored_shorter_and_the_page_says_so():
    keys = [str(index) for index in range(250)]
    record = make_record(keys, keys)
    _, reader = read([Example(source="s", output="o", attention=record)])
    data = json.loads(reader.texts["data"])
    assert data["examples"][0]["maps"][0]["coding"] == "u16"
    coding = CODINGS["u16"][0]
    assert data["error"] == coding.error > 0
    again = coding.decode(inflate(reader.texts["w0"])).reshape(250, 250)
    np.testing.assert_allclose(again, record.weights[0], atol=coding.error)


def test_maps_of_several_layers_begin_at_whole_floats():
    odd = make_record(list("abc"), list("xy"), masks={"user": np.array([1, 0], bool)})
    scored = make_record(list("ab"), list("xyz"), seed=1, scores=np.eye(2, 3))
    _, reader = read([Example(source="s", output="o", attention=[odd, scored])])
    first, second = json.loads(reader.texts["data"])["examples"][0]["maps"]
    assert first["scoreStart"] == -1 and second["causeStart"] == -1
    assert second["start"] % 4 == 0
    numbers = inflate(reader.texts["w0"])
    kept = np.frombuffer(numbers, "<f4", count=6, offset=second["scoreStart"])
    np.testing.assert_array_equal(kept.reshape(2, 3), np.eye(2, 3))


def test_four_questions_are_answered_apart_and_in_both_languages():
    interval = Interval(0.25, 0.125, 0.5, 40)
    found = ModelDiagnosis(
        40,
        (),
        (
            Evidence(
                "comprehensiveness", "supports", interval, 0.0, {"random": 0.0625}
            ),
            Evidence("uniform", "not tested", reason="no seeds"),
        ),
        layer="<img onerror=x>",
    )
    text = render_report([translation()], evidence=found)
    for language, words in (
        ("en", ["supports", "not tested"]),
        ("ru", ["подтверждает", "не проверено"]),
    ):
        panel = re.search(
            rf'<section data-lang="{language}".*?</section>', text, re.DOTALL
        )[0]
        assert all(word in panel for word in words)
        shown = "0.250 [0.125; 0.500], n = 40", "0.062"
        assert all(numeral(each, language) in panel for each in shown)
        assert "<img" not in panel
    assert "<section data-lang" not in render_report([])


def test_what_exceeds_the_limit_is_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(page_module, "SIZE_LIMIT", 3_000)
    _, reader = read([translation() for _ in range(9)])
    data = json.loads(reader.texts["data"])
    assert 0 < len(data["examples"]) < 9
    assert data["leftOut"] == 9 - len(data["examples"])


def test_the_empty_page_weighs_less_than_40_kilobytes():
    assert len(render_report([]).encode()) <= 40_000


@pytest.mark.parametrize("language", ["en", "ru"])
def test_without_scripts_the_strongest_links_are_there(language):
    _, reader = read([translation(), nasty()], language=language)
    assert ("html", "lang", language) in reader.attributes
    text = render_report([translation()], language=language)
    fallback = re.search(r"<noscript>(.*?)</noscript>", text, re.DOTALL)[1]
    strongest = {"en": "I 0.75, ", "ru": "I 0,75; "}[language]
    assert strongest in re.sub(r"</?bdi>", "", fallback)
    assert "&lt;pad&gt;" not in fallback  # masked: never among the links
    picture = re.search("<svg.*?</svg>", fallback, re.DOTALL)[0]
    assert picture.count("<rect") == 1 + 6  # paper, and the weights that are seen
    wanted = {"en": "Without scripts", "ru": "Без скриптов"}[language]
    assert wanted in fallback


def test_writing_replaces_the_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "deep" / "report.html"
    for title in ("first", "second"):
        assert write_report([translation()], path, title=title) == path
    assert "<title>second</title>" in path.read_text("utf-8")
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"language must be one of en, ru\. Got 'xx'"):
        write_report([], tmp_path / "report.html", language="xx")
    assert not list(tmp_path.iterdir())


def test_an_example_without_maps_and_with_nan_scores_is_still_shown():
    example = Example(source="s", output="o", scores={"loss": float("nan")})
    _, reader = read([example])
    entry = json.loads(reader.texts["data"])["examples"][0]
    assert entry["maps"] == [] and entry["scores"] == {}


def test_weights_that_are_no_numbers_still_make_a_page():
    record = make_record(list("abc"), list("xyz"))
    weights = record.weights.copy()
    weights[0, 0], weights[0, 1, 1] = np.nan, np.inf
    broken = AttentionRecord(
        weights=weights, query_tokens=list("abc"), key_tokens=list("xyz")
    )
    _, reader = read([Example(source="s", output="o", attention=broken)])
    drawn = json.loads(reader.texts["data"])["examples"][0]["maps"][0]
    assert drawn["said"][0][0] == "not finite"
    again = np.frombuffer(inflate(reader.texts["w0"]), "<f4", count=9)
    np.testing.assert_array_equal(again.reshape(3, 3), weights[0])
