"""What lies in time: sound in the page, spans of tokens, bands over a data set."""

import re

import numpy as np
import pytest

import regard
from regard.reports import (
    AttentionRecord,
    Example,
    Timeline,
    Training,
    bands,
    render_report,
)
from regard.reports.bands import band_over, pack_bands
from regard.reports.describing import describe
from regard.reports.encoding import CODINGS, Numbers, inflate
from tests.reports.test_report import entries

MEL = np.arange(24.0).reshape(2, 12)
SPOKEN = Timeline(
    keys=6, log_mel=MEL, seconds=0.5, audio=np.linspace(-1, 1, 300), rate=3000
)


def spoken(weights, timeline=SPOKEN, tokens=("a", "b", "</s>"), **more):
    record = AttentionRecord(
        weights=weights,
        query_tokens=tokens[: np.shape(weights)[-2]],
        key_tokens=[str(at) for at in range(np.shape(weights)[-1])],
        **more,
    )
    return Example(source="s", output="o", attention=record, timeline=timeline)


SAID = np.array([[0.9, 0.1, 0, 0, 0, 0], [0, 0, 0.1, 0, 0.9, 0], [0, 0, 0, 0, 0, 1.0]])


def test_sound_is_in_the_page_only_where_asked_for(tmp_path):
    page = tmp_path / "a.html"
    (plain,) = entries(regard.report([spoken(SAID)], path=page))
    assert "audio" not in plain["timeline"]
    regard.report([spoken(SAID)], path=page, embed_audio=True)
    (entry,) = entries(page)
    audio = entry["timeline"]["audio"]
    assert (audio["rate"], audio["samples"]) == (3000, 300)
    blob = re.search(r'id="w0">(.*?)</script>', page.read_text("utf-8"))[1]
    sound = np.frombuffer(inflate(blob), "<i2", 300, audio["start"])
    np.testing.assert_allclose(sound / 32767, np.linspace(-1, 1, 300), atol=2e-5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"audio": np.zeros((2, 9))}, "one channel"),
        ({"audio": np.full(9, 1.5)}, "from -1 to 1"),
        ({"audio": np.full(9, np.nan)}, "from -1 to 1"),
        ({"audio": np.zeros(9, "int64")}, "16-bit"),
        ({"audio": np.zeros(9), "rate": 1600}, "rate must"),
        ({"audio": np.zeros(9), "seconds": float("nan")}, "seconds must"),
    ],
)
def test_sound_of_other_kinds_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Timeline(**{"keys": 6, "log_mel": MEL, "seconds": 0.5, **given})


def test_what_is_blacked_out_is_not_said_aloud(tmp_path):
    with pytest.raises(ValueError, match="embed_audio must be False"):
        regard.report(
            [spoken(SAID)], path=tmp_path / "a.html", embed_audio=True, redact="a"
        )


def test_every_token_has_the_frames_it_was_said_in():
    weights = np.full((4, 24), 0.01)
    for token, frames in enumerate(np.split(np.arange(22), [8, 12])):
        weights[token, frames] = 1
    weights[3] = 1 / 24
    weights /= weights.sum(axis=1, keepdims=True)
    timeline = Timeline(keys=24, log_mel=MEL, seconds=0.5)
    tokens = ["a", "b", "c", "</s>"]
    mask = {"padding": np.arange(24) < 22}
    (record,) = spoken(weights, timeline, tokens, masks=mask).records()
    spans = describe(record, timeline)["spans"]
    assert spans == [[0, 8], [8, 12], [12, 22], None]  # an end is not said
    assert describe(record)["spans"] is None
    series = Timeline(keys=24, channels={"load": np.arange(24)})
    assert describe(record, series)["spans"] is None


def test_frames_that_are_skipped_lie_in_groups():
    (record,) = spoken([[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]).records()
    forward, _, skipped, repeated, groups = describe(record, SPOKEN)["walk"][0]
    assert (forward, skipped, repeated, groups) == (1, 4, 0, 2)


def test_a_band_is_the_mean_and_two_percentiles_of_what_may_be_seen():
    weights = np.random.default_rng(0).random((20, 2, 3))
    allowed = np.ones((20, 2, 3), bool)
    allowed[:5, 0, 1] = False
    allowed[:, 1, 2] = False
    band = band_over(weights, allowed)
    np.testing.assert_allclose(band[0, 0, 1], weights[5:, 0, 1].mean())
    np.testing.assert_allclose(band[:, 1, 0], [
        weights[:, 1, 0].mean(), *np.percentile(weights[:, 1, 0], (10, 90))
    ])  # fmt: skip
    assert np.isnan(band[:, 1, 2]).all()


def test_bands_are_of_all_examples_in_time_whose_maps_are_alike():
    tables = np.random.default_rng(1).dirichlet(np.ones(6), (4, 2, 3))
    examples = [spoken(table) for table in tables]
    examples.append(spoken(SAID))  # one head only
    examples.append(Example(source="s", output="o", attention=examples[0].records()))
    buffer = Numbers()
    (packed,) = pack_bands(examples, buffer)
    assert (packed["map"], packed["shape"], packed["examples"]) == (0, [2, 3, 6], 4)
    coding = CODINGS[packed["coding"]][0]
    found = coding.decode(inflate(buffer.deflated())).reshape(3, 3, 3, 6)
    np.testing.assert_allclose(found[1, 0], tables[:, 1].mean(0), atol=3e-5)
    joint = tables.mean(axis=1)
    np.testing.assert_allclose(found[2, 2], np.percentile(joint, 90, 0), atol=3e-5)
    assert 'id="wb"' in render_report(examples)
    assert 'id="wb"' not in render_report(examples[-2:])


def test_a_page_says_that_maps_are_too_large_for_a_band(monkeypatch):
    examples = [spoken(SAID)] * 2
    assert "Maps too large for a band" not in render_report(examples)
    monkeypatch.setattr(bands, "MOST", 3 * 6)
    page = render_report(examples)
    assert "Maps too large for a band over the examples: 1" in page
    assert "Карты, слишком большие для полосы по примерам: 1" in page
    assert 'id="wb"' not in page


def test_a_page_says_how_much_sound_is_inside():
    page = render_report([spoken(SAID)], embed_audio=True)
    assert "Sound is inside: 0.10 s, 16-bit mono, 0.00 MB." in page
    assert "Звук внутри: 0,10 с, 16 бит, моно, 0,00 МБ." in page


def test_a_training_says_when_each_head_first_did_something(tmp_path):
    eye, flat = np.eye(4), np.full((4, 4), 0.25)
    tokens = {"query_tokens": list("abcd"), "key_tokens": list("wxyz")}
    records = [
        [AttentionRecord(weights=np.stack([each, flat]), **tokens)]
        for each in (flat, 0.8 * eye + 0.2 * flat, eye)
    ]
    training = Training(steps=[0, 10, 100], records=records)
    example = Example(source="s", output="o", training=training)
    (entry,) = entries(regard.report([example], path=tmp_path / "a.html"))
    changing, still, mean = entry["first"]["heads"][0]
    assert changing == [["uniform", 0], ["sharpened", 1], ["diagonal", 2]]
    assert still == [["uniform", 0]]
    assert mean[0] == ["uniform", 0]
    assert entry["first"]["words"] == [
        ["uniform", 0, 0, 0, 2], ["sharpened", 1, 0, 0, 1], ["diagonal", 2, 0, 0, 1],
    ]  # fmt: skip
