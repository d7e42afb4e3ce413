"""Chromium for the tests of the pages."""

import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
#: What `make` fetches from npm, as `make axe` and `make page` do.
NODE = Path(__file__).parents[2] / ".venv/installed/node/node_modules"
