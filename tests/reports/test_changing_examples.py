"""Going from example to example: what was begun for one never reaches another."""

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example, write_report
from tests.reports.browser import needs_browser
from tests.reports.examples import make_record

pytestmark = needs_browser

WAIT = "const wait = (pause) => new Promise((done) => setTimeout(done, pause));"
# How often the numbers of each example were unpacked; those of one come late.
COUNTED = """const counts = {}; let late, last;
const get = document.getElementById.bind(document);
document.getElementById = (id) => {
  if (/^w\\d/.test(id)) counts[last = id] = 1 + (counts[id] ?? 0);
  return get(id); };
window.Response = class extends Response {
  late = last === late;
  async arrayBuffer() {
    if (this.late) await wait(150);
    return super.arrayBuffer(); } };"""


def numbered(count):
    return [
        Example(
            source=f"s{at}", output=f"o{at}",
            attention=make_record(["a"], [f"x{at}", f"y{at}"]),
        )
        for at in range(count)
    ]  # fmt: skip


def many_heads():
    """Small maps of very many heads, whose pictures take a while."""
    weights = np.full((400, 20, 20), 1 / 20)
    tokens = [str(at) for at in range(20)]
    record = AttentionRecord(weights=weights, query_tokens=tokens, key_tokens=tokens)
    return Example(source="s", output="o", attention=record)


@pytest.mark.parametrize("attention", [make_record(["a"], ["x"]), ()])
def test_pictures_of_an_example_that_was_left_stop_no_other(
    browser, answer, tmp_path, attention
):
    other = Example(source="t", output="p", attention=attention)
    page = write_report([many_heads(), other], tmp_path / "page.html")
    browser.open(page, "e=1")
    drawn, heading = answer(
        f"{WAIT} const pictures = () => document.querySelectorAll('#heads canvas');"
        "document.getElementById('back').click();"
        "while (!pictures().length) await wait(0);"
        "const drawn = pictures().length;"
        "document.getElementById('forth').click();"
        "await wait(500); return [drawn, text('#heading')[0]];"
    )
    assert 0 < drawn < 400 and heading == "Example 2 of 2"
    assert browser.named("Runtime.exceptionThrown") == []


def test_of_two_examples_the_one_chosen_last_is_shown(ask):
    heading, keys = ask(
        numbered(3),
        f"{WAIT} {COUNTED} late = 'w1'; const forth = document.getElementById('forth');"
        "forth.click(); forth.click(); await wait(400);"
        "return [text('#heading')[0], text('#keys bdi')];",
    )
    assert heading == "Example 3 of 3" and keys == ["x2", "y2"]


def test_the_numbers_of_eight_examples_stay_unpacked(ask):
    counts = ask(
        numbered(9),
        f"{WAIT} {COUNTED} const go = async (id) =>"
        " (document.getElementById(id).click(), await wait(60));"
        "await go('language'); await go('theme');"
        "for (let at = 0; at < 7; at += 1) await go('forth');"
        "await go('back'); await go('forth'); await go('forth');"
        "for (let at = 0; at < 8; at += 1) await go('back'); return counts;",
    )
    assert counts == {f"w{at}": 1 for at in range(1, 9)} | {"w0": 1}


def test_what_is_chosen_replaces_the_address_and_adds_no_step_back(ask):
    lengths, address = ask(
        numbered(2),
        f"{WAIT} const lengths = [history.length];"
        "const share = document.querySelector('#stage [type=range]');"
        "for (const at of [10, 50, 90]) {"
        " share.value = at; share.dispatchEvent(new Event('input')); }"
        "document.getElementById('forth').click(); await wait(100);"
        "return [[...lengths, history.length], location.hash];",
        place="v=arcs",
    )
    assert lengths[0] == lengths[1] and "p=90" in address and "e=1" in address
