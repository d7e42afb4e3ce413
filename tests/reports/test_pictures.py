"""Every view looks as it did, in four looks; one that broke is noticed."""

import json

import pytest
from PIL import Image

from tests.reports.browser import needs_browser
from tests.reports.picturing import (
    FOLDER,
    LIMIT,
    LOOKS,
    WIDTHS,
    cut,
    difference,
    open_shot,
    picture,
    sheet,
    shots,
    widths,
    write_pages,
)

SHOTS = shots()


@pytest.fixture(scope="module")
def pages(browser, tmp_path_factory):
    written = write_pages(tmp_path_factory.mktemp("pages"))
    kept, here = json.loads(WIDTHS.read_text("utf-8")), widths(browser, written)
    if here != pytest.approx(kept, rel=0.02):
        pytest.skip(f"fonts of other widths, {here}, than the pictures have, {kept}")
    return written


def kept(name):
    with Image.open(FOLDER / f"{name}.png") as image:
        return image.convert("L")


def test_there_is_a_picture_of_every_view_and_they_are_small():
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.png")}
    assert set(files) == set(SHOTS), "run `make pictures`, and look at them"
    assert max(files.values()) < 20_000


class TestInBrowser:
    pytestmark = needs_browser

    @pytest.mark.parametrize("name", SHOTS)
    def test_a_view_looks_as_it_did(self, browser, pages, tmp_path, name):
        drawn, before = sheet(browser, pages, SHOTS[name]), kept(name)
        apart = {
            look: difference(cut(drawn, look), cut(before, look)) for look in LOOKS
        }
        if max(apart.values()) > LIMIT:
            drawn.save(tmp_path / f"{name}.png")
            pytest.fail(
                f"{name} looks otherwise, {apart}: see {tmp_path / name}.png; if it "
                "should, run `make pictures`"
            )

    @pytest.mark.parametrize("name", SHOTS)
    def test_a_view_that_lost_what_it_drew_is_noticed(self, browser, pages, name):
        open_shot(browser, pages, SHOTS[name], "light")
        place = SHOTS[name][2]
        browser.ask(f"document.querySelector('{place}').replaceChildren(); 0")
        emptied = picture(browser, SHOTS[name])
        assert difference(emptied, cut(kept(name), "light")) > LIMIT

    def test_curves_that_are_not_drawn_are_noticed(self, browser, pages):
        shot = SHOTS["0-arcs"]
        open_shot(browser, pages, shot, "light")
        browser.ask(
            "for (const each of document.querySelectorAll('#stage canvas'))"
            " each.getContext('2d').clearRect(0, 0, each.width, each.height); 0"
        )
        undrawn = picture(browser, shot)
        assert difference(undrawn, cut(kept("0-arcs"), "light")) > LIMIT
