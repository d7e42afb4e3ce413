"""Sentences with a bar for the weight of each, in a real browser."""

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example, Explanation, Removal, Sentences
from tests.reports.browser import needs_browser

pytestmark = needs_browser

READ = (
    "const lines = [...document.querySelectorAll('#stage [role=listitem]')];"
    "const read = () => lines.map((line) => [line.innerText.split('\\n')[0],"
    " parseFloat(line.querySelector('.bar').style.width),"
    " [...line.querySelectorAll('bdi')]"
    ".map((e) => getComputedStyle(e).borderBottomWidth)]);"
)


def document(explanation=None, **more):
    record = AttentionRecord(
        weights=[[[0.5, 0.25, 0.25], [0, 0, 1.0]]],
        query_tokens=["a", "b"],
        key_tokens=["good", "old", "film"],
        sentences=Sentences(lengths=[2, 1], **more),
    )
    return Example(
        source="good old film", output="yes", attention=record, explanation=explanation
    )


def test_each_sentence_has_its_weight_and_its_words_theirs(ask):
    tab, inside, whole, note, other = ask(
        [document()],
        f"{READ} const tab = text('[role=tab][aria-selected=true]')[0];"
        "const inside = read(); const choice = document.querySelector('#stage select');"
        "choice.value = '1'; choice.dispatchEvent(new Event('change'));"
        "const whole = read(); const note = text('#stage [role=status]')[0];"
        "document.querySelectorAll('#queries button')[1].click();"
        "return [tab, inside, whole, note, read()];",
        place="k=1",
    )
    assert tab == "Sentences"
    assert [line[0] for line in inside] == ["0.7500", "0.2500"]
    assert [line[1] for line in inside] == pytest.approx([4, 4 / 3], abs=1e-3)
    roots = [
        [round(6 * np.sqrt(each)) for each in row] for row in ([2 / 3, 1 / 3], [1])
    ]
    assert [line[2] for line in inside] == [[f"{px}px" for px in row] for row in roots]
    assert whole[0][2] == [f"{round(6 * np.sqrt(each))}px" for each in (0.5, 0.25)]
    plain = note.replace("\u2068", "").replace("\u2069", "")
    assert plain == (
        "Sentence 1 weighs 0.7500; old is 0.3333 of it. "
        "The heaviest is sentence 1: 0.7500."
    )
    assert [line[0] for line in other] == ["0.0000", "1.0000"]


def test_what_a_network_weighs_by_itself_is_what_is_shown(ask):
    lines = ask(
        [document(weights=[0.875, 0.125], words=[0.25, 0.75, 1])],
        f"{READ} return read();",
    )
    assert [line[0] for line in lines] == ["0.8750", "0.1250"]
    assert lines[0][2] == [f"{round(6 * np.sqrt(each))}px" for each in (0.25, 0.75)]


def test_a_click_on_a_word_chooses_it(ask):
    chosen, outlined = ask(
        [document()],
        "document.querySelectorAll('#stage bdi')[2].click();"
        "return [location.hash, [...document.querySelectorAll('#stage bdi')]"
        ".map((e) => Boolean(e.style.outline))];",
    )
    assert "k=2" in chosen and outlined == [False, False, True]


@pytest.mark.parametrize("view", ["sentences", "words"])
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Strongest in the whole text: a sentence's weight times the word's"),
        ("ru", "Сильнейшие — во всём тексте: вес предложения, умноженный на вес"),
    ],
)
def test_words_are_taken_away_over_all_sentences(ask, view, language, said):
    removal = Removal(
        order=[2, 0, 1], counts=[0, 1, 2], by_product=True,
        probabilities=[[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]],
    )  # fmt: skip
    explanation = Explanation(probabilities={"yes": 0.75, "no": 0.25}, removal=removal)
    points, notes = ask(
        [document(explanation)],
        "const slider = document.querySelector('#stage [type=range]');"
        "const bars = () => text('.bars dd').map((e) => "
        "parseFloat(e.replace(',', '.')));"
        "const point = () => [bars(), text('#stage .gone')];"
        "const points = [point()];"
        "for (const at of [1, 2, 0]) {"
        " slider.value = at; slider.dispatchEvent(new Event('input'));"
        " points.push(point()); }"
        "return [points, text('#stage .quiet')];",
        place=f"v={view}&lang={language}",
    )
    assert points == [
        [[0.75, 0.25], []],
        [[0.5, 0.5], ["film"]],
        [[0.125, 0.875], ["good", "film"]],
        [[0.75, 0.25], []],
    ]
    assert any(note.startswith(said) for note in notes)
