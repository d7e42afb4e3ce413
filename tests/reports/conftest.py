"""What the tests of the pages share: a browser that answers questions about them."""

import pytest

from regard.reports import write_report
from tests.reports.chromium import Browser

HELPERS = """
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true }));
const text = (query) => [...document.querySelectorAll(query)].map((e) => e.textContent);
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One browser for all tests."""
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def answer(browser):
    """What the statements of a script return on the open page."""
    return lambda script: browser.ask(f"(async () => {{ {HELPERS} {script} }})()")


@pytest.fixture
def ask(browser, answer, tmp_path):
    """Open a page of some examples at a place and evaluate JavaScript in it."""

    def run(examples, script, place="", size="1300,900", still=False, **more):
        path = write_report(examples, tmp_path / "report.html", **more)
        browser.open(path, place, *map(int, size.split(",")), still=still)
        return answer(script)

    return run
