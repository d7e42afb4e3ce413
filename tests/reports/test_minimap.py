"""Panning and zooming a large map: by pointer, by keys, by the minimap."""

import re

import pytest

from regard.reports import Example, write_report
from tests.reports.browser import needs_browser
from tests.reports.examples import make_record

pytestmark = needs_browser

PICTURE = "#stage .canvas canvas"
MINIMAP = "#stage [aria-label^=Overview]"
GUTTER, CELL = 96, 20


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    rows, columns = [f"q{at}" for at in range(80)], [f"k{at}" for at in range(160)]
    example = Example(source="s", output="o", attention=make_record(rows, columns))
    hebrew = Example(
        source="s", output="o",
        attention=make_record(rows, columns, key_language="he"),
    )  # fmt: skip
    return write_report(
        [example, hebrew], tmp_path_factory.mktemp("pages") / "page.html"
    )


def zoom(browser, times):
    for _ in range(times):
        browser.ask("document.querySelector('#stage button').click()")


def part(browser):
    """First and last row, first and last column on view."""
    text = browser.ask("document.querySelector('#stage [role=status]').textContent")
    found = re.search(r"rows (\d+)–(\d+) / 80, columns (\d+)–(\d+) / 160", text)
    return found and tuple(map(int, found.groups()))


def chosen(browser):
    text = browser.ask("location.hash")
    return tuple(int(re.search(rf"\b{name}=(\d+)", text)[1]) for name in "qk")


def visible(browser):
    return browser.ask(
        f"document.querySelector('{MINIMAP}').checkVisibility("
        "{ visibilityProperty: true })"
    )


def test_there_is_a_minimap_where_there_is_more_than_is_shown(browser, page):
    browser.open(page, "q=40&k=80")
    assert part(browser) is None and not visible(browser)
    zoom(browser, 2)
    assert part(browser) == (31, 50, 61, 100) and visible(browser)


def test_arrows_on_the_minimap_move_the_part_and_not_the_choice(browser, page):
    browser.open(page, "q=40&k=80")
    zoom(browser, 2)
    browser.ask(f"document.querySelector('{MINIMAP}').focus()")
    seen = []
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
        browser.press(key)
        seen.append(part(browser))
    assert seen == [
        (31, 50, 81, 120), (41, 60, 81, 120), (51, 70, 81, 120), (61, 80, 81, 120),
        (61, 80, 61, 100),
    ]  # fmt: skip
    assert chosen(browser) == (40, 80)


def test_arrows_in_the_picture_move_the_choice_and_the_part_follows(browser, page):
    browser.open(page, "q=40&k=98")
    zoom(browser, 2)
    browser.ask("document.querySelector('#stage .canvas').focus()")
    first = part(browser)
    for _ in range(first[3] - 98):
        browser.press("ArrowRight")
    assert chosen(browser) == (40, first[3])  # the first column that was not on view
    assert part(browser)[2] <= first[3] + 1 <= part(browser)[3]
    browser.press("+")
    assert part(browser)[1] - part(browser)[0] == 9


def test_the_pointer_drags_the_picture(browser, page):
    browser.open(page, "q=40&k=80")
    zoom(browser, 2)
    start = (GUTTER + 200, GUTTER + 200)
    browser.drag(PICTURE, start, (start[0] - 5 * CELL, start[1] + 3 * CELL))
    assert part(browser) == (28, 47, 66, 105)
    assert chosen(browser) == (40, 80)  # a drag chooses nothing
    browser.drag(PICTURE, (GUTTER + 2.5 * CELL, GUTTER + 1.5 * CELL))
    assert chosen(browser) == (28, 67)
    assert part(browser) == (28, 47, 66, 105)


def test_the_pointer_goes_to_a_place_on_the_minimap(browser, page):
    browser.open(page, "q=40&k=80")
    zoom(browser, 2)
    browser.drag(f"{MINIMAP} canvas", (80, 5))
    assert part(browser) == (1, 20, 121, 160)


def test_right_to_left_keys_are_mirrored_there_too(browser, page):
    browser.open(page, "e=1&q=40&k=80")
    zoom(browser, 2)
    browser.ask(f"document.querySelector('{MINIMAP}').focus()")
    browser.press("ArrowLeft")
    assert part(browser) == (31, 50, 81, 120)
    browser.drag(f"{MINIMAP} canvas", (80, 5))
    assert part(browser) == (1, 20, 1, 40)
