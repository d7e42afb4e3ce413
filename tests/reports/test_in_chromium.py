"""The page as people meet it: offline, quiet, by keyboard alone, readable, harmless."""

import pytest

from regard.reports import write_report
from regard.reports.diagnosis import ModelDiagnosis
from regard.seeing.metrics import Evidence, Interval
from tests.reports.axe import needs_axe, violations
from tests.reports.browser import needs_browser
from tests.reports.examples import NASTY
from tests.reports.gallery import VIEWS, gallery, nasty_gallery

pytestmark = needs_browser

LOOKS = {
    "light": {}, "dark": {"dark": True}, "narrow": {"width": 400}, "russian": {},
}  # fmt: skip

ANSWERS = tuple(
    Evidence(question, "supports", Interval(0.5, 0.4, 0.6, 4), 0.1)
    for question in ("comprehensiveness", "permutation", "uniform", "agreement")
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    facts = {NASTY[0]: NASTY[1]}
    return {
        "gallery": write_report(
            gallery(), folder / "gallery.html", embed_audio=True,
            evidence=ModelDiagnosis(4, (), ANSWERS),
        ),
        "nasty": write_report(
            nasty_gallery(), folder / "nasty.html", title=NASTY[0], facts=facts,
            names=(NASTY[0], NASTY[1]),
        ),
    }  # fmt: skip


def place(example, view):
    return f"e={example}&v={view}"


def assert_quiet(browser, page, where):
    """Nothing was asked for but the page itself, and nothing was said."""
    asked = browser.named("Network.requestWillBeSent")
    urls = {each["params"]["request"]["url"].split("#")[0] for each in asked}
    assert urls <= {f"file://{page}", "about:blank"}, where
    said = browser.named(
        "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"
    )
    assert said == [], where


def test_every_view_opens_without_a_request_or_a_complaint(browser, pages):
    for page in pages.values():
        for example, view in VIEWS:
            browser.open(page, place(example, view))
            assert_quiet(browser, page, (example, view))


def test_a_page_with_the_views_of_one_example_alone_opens_too(browser, tmp_path):
    examples = gallery()
    for example, view in VIEWS:
        page = write_report([examples[example]], tmp_path / f"{example}.html")
        browser.open(page, place(0, view) + "&lang=ru", width=400)
        assert_quiet(browser, page, (example, view))
        chosen, width = browser.ask(
            "[document.querySelector('#tabs [aria-selected]').id,"
            " document.scrollingElement.scrollWidth]"
        )
        assert chosen == f"tab_{view}" and width <= 400, (example, view, width)


def test_nasty_texts_run_nothing_and_reorder_nothing(browser, pages):
    for example, view in VIEWS:
        browser.open(pages["nasty"], place(example, view))
        assert not browser.named("Page.javascriptDialogOpening")
        images, scripts, text = browser.ask(
            "[document.images.length, document.querySelectorAll('main script, nav"
            " script').length, document.body.innerText]"
        )
        assert (images, scripts) == (0, 0)
        assert "\u202e" not in text and "\x00" not in text
        assert max(map(len, text.split("\n"))) < 21_000


def test_no_view_is_wider_than_a_telephone(browser, pages):
    for page in pages.values():
        for example, view in VIEWS:
            browser.open(page, place(example, view), width=400)
            width = browser.ask("document.scrollingElement.scrollWidth")
            assert width <= 400, (page.name, example, view)


def focused(browser):
    return browser.ask(
        "(() => { const e = document.activeElement; const box = e.closest('[id]');"
        "return [box?.id ?? '', e.textContent.slice(0, 20),"
        "getComputedStyle(e).outlineStyle]; })()"
    )


def test_the_name_of_a_fact_is_not_broken_on_a_telephone(browser, tmp_path):
    facts = {"task": "dates as people write them to ISO 8601, " * 3, "exact match": 1}
    page = write_report(gallery()[:1], tmp_path / "page.html", facts=facts)
    browser.open(page, width=400)
    heights = browser.ask(
        "[...document.querySelectorAll('.facts dt')].map((name) => name.clientHeight)"
    )
    assert len(heights) == 2 and max(heights) < 40  # one line of text is 24 high


def test_everything_is_reached_by_the_keyboard_alone(browser, pages):
    browser.open(pages["gallery"], place(0, "matrix"))
    reached = []
    for _ in range(40):
        browser.press("Tab")
        reached.append(focused(browser))
        if reached[-1][0] == "" or (len(reached) > 1 and reached[-1] == reached[0]):
            break
    ids = [name for name, _, _ in reached]
    for wanted in ("language", "theme", "search", "sort", "back", "forth", "order",
                   "layer", "head", "scale"):  # fmt: skip
        assert ids.count(wanted) == 1, ids
    for group in ("heads", "queries", "keys", "stage"):
        assert ids.count(group) == 1, ids  # one stop, and arrows inside
    assert ids.count("tab_matrix") == 1 and ids.count("tab_arcs") == 0
    shown = {style for name, _, style in reached if name}
    assert shown == {"solid"}  # the focus is always seen


def test_the_grid_the_tabs_and_the_matrix_answer_keys(browser, pages):
    browser.open(pages["gallery"], place(0, "matrix"))
    browser.ask("document.querySelector('#heads [tabindex=\"0\"]').focus()")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        browser.press(key)
    assert browser.ask("location.hash.includes('m=1&h=1')")
    browser.press("a")
    assert browser.ask("location.hash.includes('m=1&h=-1')")
    browser.ask("document.querySelector('#tabs [tabindex=\"0\"]').focus()")
    browser.press("ArrowRight")
    assert focused(browser)[:2] == ["tab_arcs", "Links"]
    browser.press("ArrowLeft")
    for _ in ("scale", "to each head", "the matrix"):
        browser.press("Tab")
    browser.press("ArrowDown")
    assert browser.ask("document.activeElement.dataset.row") == "1"


def test_sound_plays_from_the_page_itself(browser, pages):
    browser.open(pages["gallery"], place(4, "timeline"))
    browser.ask(
        "(() => { const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () { globalThis.player = this;"
        " return play.call(this); };"
        "document.querySelector('#stage button').focus(); })()"
    )
    browser.press("Enter")
    seconds = browser.ask(
        "new Promise((done) => { let left = 100; const look = () => {"
        "if (globalThis.player?.ended || !left--) done(globalThis.player?.duration);"
        "else setTimeout(look, 25); }; look(); })"
    )
    assert seconds == pytest.approx(0.5)
    said = browser.named("Runtime.exceptionThrown", "Log.entryAdded")
    assert said == []


@needs_axe
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_violation(browser, pages, look):
    for example, view in VIEWS:
        language = "&lang=ru" if look == "russian" else ""
        browser.open(pages["gallery"], place(example, view) + language, **LOOKS[look])
        assert violations(browser) == [], (example, view)
