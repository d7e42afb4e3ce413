"""The page in a real browser: it draws, answers keys, and runs no one's markup."""

import re

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example
from tests.reports.browser import needs_browser
from tests.reports.examples import NASTY, make_record, nasty, translation

pytestmark = needs_browser


def test_cells_carry_their_exact_weight(ask):
    spoken = ask(
        [translation()],
        'return [...document.querySelectorAll("td[data-row]")]'
        '.map((cell) => cell.getAttribute("aria-label"));',
    )
    assert len(spoken) == 16
    assert spoken[0] == "я, I: 0.7500"
    assert spoken[3] == "я, <pad>: masked: padding"
    assert spoken[9] == "‑когда, never: 0.8750"


def test_arrow_keys_move_a_single_tab_stop(ask):
    moved = ask(
        [translation()],
        'document.querySelector("td[data-row][tabindex=\\"0\\"]").focus();'
        "const seen = [];"
        'for (const key of ["ArrowRight", "ArrowDown", "End", "Home", "ArrowUp"]) {'
        "  press(key);"
        "  const { row, column } = document.activeElement.dataset;"
        '  seen.push([row, column, text("#inspector dd")[2]]);'
        "}"
        'return [seen, document.querySelectorAll("td[tabindex=\\"0\\"]").length,'
        " location.hash];",
        place="q=0&k=0",
    )
    places, stops, address = moved
    assert [place[:2] for place in places] == [
        ["0", "1"], ["1", "1"], ["1", "3"], ["1", "0"], ["0", "0"],
    ]  # fmt: skip
    assert [place[2] for place in places] == [
        "0.2500", "1.0000", "masked: padding", "0.0000", "0.7500",
    ]  # fmt: skip
    assert stops == 1
    assert "q=0" in address and "k=0" in address


def test_choosing_an_output_token_goes_to_its_strongest_input(ask):
    answer = ask(
        [translation()],
        'document.querySelectorAll("#queries button")[2].click();'
        "await new Promise((done) => setTimeout(done, 400));"
        'return [text("#inspector dd"), text("#live")];',
    )
    numbers, (live,) = answer
    assert numbers[:4] == ["когда", "never", "0.8750", "1 / 3"]
    plain = live.replace("\u2068", "").replace("\u2069", "")
    assert plain == "‑когда reads never 0.88, I 0.13"


def test_the_language_switches_every_phrase(ask):
    before, after = ask(
        [translation()],
        'const before = text("[data-t]");'
        'document.getElementById("language").click();'
        "await new Promise((done) => setTimeout(done, 300));"
        'return [before, text("[data-t]")];',
        language="ru",
    )
    assert all(re.search("[а-яё]", phrase) for phrase in before)
    assert not any(re.search("[а-яё]", phrase) for phrase in after)


def test_nasty_texts_stay_texts(ask):
    headings, tags, title = ask(
        [nasty()],
        'return [text(".map tbody th"), '
        '[...document.querySelectorAll("img, #view script")].length,'
        " document.title];",
        title=NASTY[0],
    )
    assert headings[:2] == [NASTY[0], NASTY[1].replace(" ", "␣")]
    assert tags == 0 and title == NASTY[0]


def test_right_to_left_input_mirrors_the_columns_and_the_arrows(ask):
    record = make_record(["кот", "спит"], ["חתול", "ישן"], key_language="he")
    direction, column, swapped = ask(
        [Example(source="חתול ישן", output="кот спит", attention=record)],
        "const at = (column) => document.querySelector("
        '`td[data-row="0"][data-column="${column}"]`);'
        "at(0).focus();"
        'press("ArrowLeft");'
        'return [document.querySelector(".map").dir,'
        " document.activeElement.dataset.column,"
        " at(0).getBoundingClientRect().left > at(1).getBoundingClientRect().left];",
        place="q=0&k=0",
    )
    assert (direction, column, swapped) == ("rtl", "1", True)


@pytest.mark.parametrize("count", [60_000, 1_100_000])
def test_shortened_weights_unpack_in_the_page(ask, count):
    keys = [str(index) for index in range(count // 120)]
    record = make_record([f"q{index}" for index in range(120)], keys)
    best = int(record.weights[0, 3].argmax())
    canvases, numbers = ask(
        [Example(source="s", output="o", attention=record)],
        'return [document.querySelectorAll("#stage canvas").length > 0,'
        ' text("#inspector dd")];',
        place=f"q=3&k={best}",
    )
    assert canvases
    assert float(numbers[2]) == pytest.approx(record.weights[0, 3, best], abs=0.005)
    assert numbers[3] == f"1 / {len(keys)}"


def test_search_and_sorting_change_the_list(ask):
    examples = [
        Example(source=f"text {name}", output="o", scores={"chrF": score})
        for name, score in (("й", 3.0), ("b", 1.0), ("c", 2.0))
    ]
    ordered, found = ask(
        examples,
        "const set = (id, value, event) => { const e = document.getElementById(id);"
        " e.value = value; e.dispatchEvent(new Event(event)); };"
        'set("sort", "chrF", "change");'
        'const ordered = text("#list button span:first-child");'
        'set("search", "TEXT и\u0306", "input");'
        'return [ordered, text("#list button span:first-child")];',
    )
    assert ordered == ["text b", "text c", "text й"]
    assert found == ["text й"]


def test_heads_and_their_mean_can_be_chosen(ask):
    weights = np.stack([np.eye(3), np.eye(3)[::-1]])
    record = AttentionRecord(
        weights=weights, query_tokens=list("abc"), key_tokens=list("xyz")
    )
    one, mean = ask(
        [Example(source="s", output="o", attention=record)],
        'const cells = () => text("td[data-row=\\"0\\"]");'
        "const one = cells();"
        'const choice = document.getElementById("head");'
        'choice.value = "-1"; choice.dispatchEvent(new Event("change"));'
        "return [one, cells()];",
    )
    assert one == ["1", "", ""]
    assert mean == [".50", "", ".50"]
