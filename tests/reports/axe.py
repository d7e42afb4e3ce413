"""What axe-core has to say of a page: whether everybody can use it."""

import os
from pathlib import Path

import pytest

from tests.reports.browser import NODE

VERSION = "4.14.1"  # that `make axe` fetches; another one may know other rules
FILE = Path(os.environ.get("REGARD_AXE") or NODE / "axe-core/axe.min.js")
needs_axe = pytest.mark.skipif(
    not FILE.is_file(), reason="no axe-core: run `make axe`, or set REGARD_AXE"
)
_RUN = """axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa",
  "best-practice"] }).then((result) => result.violations.map((each) => [each.id,
  each.help, each.nodes[0].html.slice(0, 200),
  each.nodes[0].failureSummary.slice(0, 300)]))"""


def violations(browser):
    """Rules that the open page breaks, each with its first place."""
    browser.ask(FILE.read_text("utf-8") + "; 0")
    return browser.ask(_RUN)
