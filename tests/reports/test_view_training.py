"""A training at a glance: every step side by side, and when heads did what."""

import numpy as np

from regard.reports import AttentionRecord, Example, Training
from tests.reports.browser import needs_browser

pytestmark = needs_browser

OPEN = (
    "const box = document.getElementById('all_steps');"
    "const cells = () => [...box.querySelectorAll('button')];"
    "const wait = (time) => new Promise((done) => setTimeout(done, time));"
)


def trained():
    eye, flat = np.eye(4), np.full((4, 4), 0.25)
    tokens = {"query_tokens": list("abcd"), "key_tokens": list("wxyz")}
    looks = (flat, 0.8 * eye + 0.2 * flat, eye)
    records = [
        [
            AttentionRecord(weights=np.stack([flat, flat]), layer="one", **tokens),
            AttentionRecord(weights=np.stack([flat, each]), layer="two", **tokens),
        ]
        for each in looks
    ]
    training = Training(steps=[0, 10, 1000], records=records)
    return Example(source="s", output="o", training=training)


def test_every_step_of_the_head_is_drawn_and_opens_it(ask):
    before, names, sizes, place, said, after = ask(
        [trained()],
        f"{OPEN} const before = [box.open, cells().length]; box.open = true;"
        "await wait(300); const names = text('#training details small');"
        "const sizes = cells().map((e) => e.querySelector('canvas').width);"
        "cells()[1].click(); const place = location.hash;"
        "press('End'); document.activeElement.click(); await wait(100);"
        "return [before, names, sizes, place, text('#step_said')[0],"
        " cells().map((e) => [e.getAttribute('aria-pressed'), e.tabIndex])];",
        place="m=1&h=1",
    )
    assert before == [False, 0]
    assert names == ["step 0", "step 10", "step 1,000"] and sizes == [4, 4, 4]
    assert "s=1" in place and said == "step 1,000"
    assert after == [["false", -1], ["false", -1], ["true", 0]]


def test_the_first_steps_are_told_of_this_head_and_of_all(ask):
    lines, hash_, chosen = ask(
        [trained()],
        "const lines = [...document.querySelectorAll('#first tr:has(td)')].map((row)"
        " => [...row.children].map((e) => e.textContent.trim()));"
        "document.querySelector('#first tr:last-child td:last-child button')"
        ".click(); const { value } = document.getElementById('head');"
        "return [lines, location.hash, value];",
    )
    assert lines == [
        ["uniform", "step 0", "L1 H1, step 0 (4 of 4 ever)"],
        [
            "entropy under 50 % of its start",
            "–",
            "L2 H2, step 10 (1 of 4 ever)",
        ],
        ["diagonal", "–", "L2 H2, step 1,000 (1 of 4 ever)"],
    ]
    assert "s=2" in hash_ and "m=1" in hash_ and chosen == "1"


def test_the_pictures_stay_from_step_to_step_and_change_with_the_head(ask):
    kept, pressed, changed = ask(
        [trained()],
        f"{OPEN} box.open = true; await wait(300);"
        "const pictures = () => cells().map((e) => e.querySelector('canvas'));"
        "const before = pictures(); const same = () => pictures()"
        ".map((each, at) => each === before[at] && each !== null);"
        "const choose = (id, value, event) => {"
        " const control = document.getElementById(id); control.value = value;"
        " control.dispatchEvent(new Event(event)); };"
        "choose('step', 1, 'input'); await wait(300); const kept = same();"
        "const pressed = cells().map((e) => e.getAttribute('aria-pressed'));"
        "choose('head', 0, 'change'); await wait(300);"
        "return [kept, pressed, same()];",
        place="m=1&h=1",
    )
    assert kept == [True, True, True] and changed == [False, False, False]
    assert pressed == ["false", "true", "false"]


def test_pictures_stand_open_where_less_motion_is_wanted(ask):
    opened = ask(
        [trained()],
        f"{OPEN} await wait(200); return [box.open, cells().length];",
        still=True,
    )
    assert opened == [True, 3]
