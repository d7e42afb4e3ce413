"""Sound, spans and bands under a picture of time, in a real browser."""

import base64
import io
import wave

import numpy as np

from regard.reports import AttentionRecord, Example, Timeline
from tests.reports.browser import needs_browser

pytestmark = needs_browser

SAMPLES = np.round(32767 * np.sin(np.arange(7200) / 9)).astype(np.int16)
PLAYED = (
    "const played = []; HTMLMediaElement.prototype.play = function () {"
    " played.push(this); return Promise.resolve(); };"
    "const wait = (time) => new Promise((done) => setTimeout(done, time));"
    "const button = [...document.querySelectorAll('#stage button')].at(-1);"
)


def spoken(weights, tokens):
    timeline = Timeline(
        keys=24, log_mel=np.arange(48.0).reshape(2, 24), seconds=0.1,
        audio=SAMPLES, rate=3000,
    )  # fmt: skip
    record = AttentionRecord(
        weights=weights,
        query_tokens=tokens,
        key_tokens=[str(at) for at in range(24)],
    )
    return Example(source="s", output="o", attention=record, timeline=timeline)


def said_in_turn():
    weights = np.full((3, 24), 1e-3)
    for token, frames in enumerate(np.split(np.arange(24), [8, 12])):
        weights[token, frames] = 1
    return weights / weights.sum(axis=1, keepdims=True)


def test_the_span_of_a_token_is_played_to_the_sample(ask):
    text, source, after, stored, said = ask(
        [spoken(said_in_turn(), ["a", "b", "c"])],
        f"{PLAYED} const label = button.textContent; button.click(); await wait(300);"
        "const source = played[0].src;"
        "const canvas = document.querySelector('#stage canvas');"
        "canvas.dispatchEvent(new MouseEvent('click',"
        " { bubbles: true, clientX: canvas.getBoundingClientRect().left + 5 }));"
        "await wait(300); return [label, source,"
        " [button.textContent, played.length, location.hash], text('#stored')[0],"
        " text('#stage p')[0]];",
        place="q=1&k=9",
        embed_audio=True,
    )
    assert text == "Play 0.80 – 1.20 s"
    kind, letters = source.split(",")
    assert kind == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(letters))) as sound:
        assert sound.getparams()[:3] == (1, 2, 3000)
        heard = np.frombuffer(sound.readframes(9999), "<i2")
    np.testing.assert_array_equal(heard, SAMPLES[2400:3600])
    assert after[:2] == ["Play 0.00 – 0.80 s", 2] and "k=0" in after[2]
    assert "Sound is inside: 2.40 s, 16-bit mono, 0.01 MB." in stored
    assert "It was said from 0.80 s to 1.20 s." in said
    assert "groups of frames skipped: 1 (frames read less than 0.1 in all: 12)" in said


def test_around_a_place_of_a_pooling_half_a_second_is_played(ask):
    labels, height = ask(
        [spoken([[1 / 24] * 24], ["all"])],
        f"{PLAYED} return [text('#stage button'),"
        " document.querySelector('#stage canvas').height];",
        place="k=10",
        embed_audio=True,
    )
    assert labels == ["Play 0.80 – 1.30 s"] and height == 180 + 48 + 26


def test_without_sound_in_the_file_there_is_nothing_to_play(ask):
    labels, stored = ask(
        [spoken(said_in_turn(), ["a", "b", "c"])],
        "return [text('#stage button'), text('#stored')[0]];",
    )
    assert labels == [] and "Sound" not in stored


def test_the_band_of_the_data_set_is_told_at_the_chosen_place(ask):
    tables = np.random.default_rng(0).dirichlet(np.ones(5), (9, 2, 3))
    series = Timeline(keys=5, channels={"load": np.arange(5)})
    examples = [
        Example(
            source=str(at), output="o", timeline=series,
            attention=AttentionRecord(
                weights=table, query_tokens=list("abc"), key_tokens=list("vwxyz")
            ),
        )
        for at, table in enumerate(tables)
    ]  # fmt: skip
    for head, chosen in ((1, tables[:, 1]), (-1, tables.mean(axis=1))):
        values = chosen[:, 2, 3]
        low, high = np.percentile(values, (10, 90))
        said, canvases = ask(
            examples,
            "return [text('#stage p')[0],"
            " document.querySelectorAll('#stage canvas').length];",
            place=f"e=4&h={head}&q=2&k=3",
        )
        assert canvases == 2
        assert said == (
            f"Over 9 examples. Dashed: their mean, here {values.mean():.3f}; band: "
            f"from the 10th to the 90th percentile, here {low:.3f} to {high:.3f}; "
            f"line: this example, here {values[4]:.3f}."
        )


def test_colours_of_a_head_may_end_at_its_largest_weight(ask):
    record = AttentionRecord(
        weights=[[[0.25, 0.25, 0.5], [0.5, 0.5, 0]], [[1, 0, 0], [0, 1, 0]]],
        query_tokens=["a", "b"],
        key_tokens=list("xyz"),
    )
    before, after, other = ask(
        [Example(source="s", output="o", attention=record)],
        "const legend = () => text('#legend > *');"
        "const shown = () => [legend(), document.querySelector("
        '\'td[data-row="0"][data-column="2"]\').style.background];'
        "const before = shown(); document.getElementById('domain').click();"
        "const after = shown(); const head = document.getElementById('head');"
        "head.value = '1'; head.dispatchEvent(new Event('change'));"
        "return [before, after, [legend(), location.hash]];",
    )
    assert before[0] == ["0", "0.01", "0.05", "0.1", "0.25", "0.5", "1"]
    assert after[0] == [
        "this head only:", "0", "0.005", "0.025", "0.05", "0.13", "0.25", "0.5",
    ]  # fmt: skip
    assert before[1] != after[1] == "rgb(8, 48, 107)"  # the end of the ramp
    assert other[0] == ["this head only:", *before[0]] and "d=1" in other[1]
