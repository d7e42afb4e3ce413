"""The version stands in one place, and the change log speaks of it."""

import re

import regard


def test_the_change_log_names_the_version(root):
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", text, re.MULTILINE)
    assert versions and versions[0] == regard.__version__


def test_the_version_is_written_once(root):
    settings = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in settings
