"""How a page opens: something is painted first, and only then is the script busy."""

import pytest

from regard.reports import write_report
from regard.reports.diagnosis import ModelDiagnosis
from regard.seeing.metrics import Evidence, Interval
from tests.reports.browser import needs_browser
from tests.reports.gallery import gallery

pytestmark = needs_browser

ANSWER = Evidence("uniform", "supports", Interval(0.5, 0.4, 0.6, 4), 0.1)
# Nothing is painted before the test says so: neither frames come, nor the clock that
# stands in for them.
HELD = """(() => { const later = setTimeout; window.frames_held = [];
performance.getEntriesByType = () => [];
requestAnimationFrame = (act) => frames_held.push(act);
setTimeout = (act, pause) => pause >= 500 || later(act, pause); })()"""
# How far what had been painted was moved, as browsers measure it.
SHIFTED = """(() => { window.shifted = 0; new PerformanceObserver((list) => {
for (const each of list.getEntries()) shifted += each.value;
}).observe({ type: "layout-shift", buffered: true }); })()"""


@pytest.fixture
def opening(browser):
    """Run a script in every page before its own, until the test ends."""
    added = []

    def run(script):
        method = "Page.addScriptToEvaluateOnNewDocument"
        added.append(browser.send(method, source=script)["identifier"])

    yield run
    for each in added:
        browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=each)


# Once the whole file is there, and time for what it set off; is the middle on view?
OPEN = """new Promise((done) => { const look = () => {
  if (document.readyState !== "complete" || !document.querySelector("#program"))
    return setTimeout(look, 25);
  setTimeout(() => done(!document.querySelector(".page").hidden), 200);
}; look(); })"""
# Every head has its picture, and what they moved was told.
PICTURED = """new Promise((done) => { let left = 200; const look = () => {
  if (left-- && document.querySelector(".thumbnail:empty")) setTimeout(look, 25);
  else setTimeout(() => done(left >= 0), 200);
}; look(); })"""
DRAWN = """new Promise((done) => { let left = 200; const look = () => {
  const drawn = Boolean(document.querySelector("#inspector dd"));
  if (drawn || !left--) done(drawn); else setTimeout(look, 25);
}; look(); })"""


def test_the_script_waits_until_the_page_was_painted(browser, opening, tmp_path):
    page = write_report(gallery(), tmp_path / "page.html")
    opening(HELD)
    browser.send("Page.navigate", url=page.as_uri())
    assert not browser.ask(OPEN)
    browser.ask("frames_held.forEach((act) => act())")
    assert browser.ask(DRAWN)


def test_a_page_that_is_given_no_frames_opens_too(browser, opening, tmp_path):
    page = write_report(gallery(), tmp_path / "page.html")
    opening("performance.getEntriesByType = () => []; requestAnimationFrame = () => 0")
    browser.send("Page.navigate", url=page.as_uri())
    assert browser.ask(DRAWN)


@pytest.mark.parametrize("width", [1300, 400])
def test_nothing_that_was_painted_is_pushed_away(browser, opening, tmp_path, width):
    evidence = ModelDiagnosis(4, (), (ANSWER,))
    page = write_report(gallery(), tmp_path / "page.html", evidence=evidence)
    opening(SHIFTED)
    browser.open(page, width=width)
    assert browser.ask(PICTURED)
    assert browser.ask("shifted") < 0.01  # up to 0.1 is called good
