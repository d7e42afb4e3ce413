"""What the tests of the page share: a browser that answers questions about it."""

import html
import json
import re
import subprocess

import pytest

from regard.reports import write_report
from tests.reports.browser import ASK, CHROMIUM


@pytest.fixture
def ask(tmp_path):
    """Open a page of some examples at a place and evaluate JavaScript in it."""

    def run(examples, script, place="", size="1300,900", options=(), **more):
        path = write_report(examples, tmp_path / "report.html", **more)
        page = path.read_text("utf-8").replace("</body>", ASK % script)
        path.write_text(page, "utf-8")
        dumped = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
             f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
             f"--window-size={size}", *options, "--dump-dom", f"file://{path}#{place}"],
            capture_output=True, text=True, timeout=120, check=True,
        ).stdout  # fmt: skip
        found = re.search(r'<pre id="answer">(.*?)</pre>', dumped, re.DOTALL)
        assert found, dumped[-2000:]
        return json.loads(html.unescape(found[1]))

    return run
