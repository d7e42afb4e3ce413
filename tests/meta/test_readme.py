"""What the front page shows runs."""

import re

import pytest


def test_the_python_of_the_readme_runs(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where it writes its files
    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks, "README.md shows no Python"
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_files_a_page_names_exist(root, page):
    text = (root / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text)
    code = re.findall(r"`((?:src|tests|benchmarks)/[\w/.]*)`", text)
    named = [name for name in links + code if "NAME" not in name]
    missing = [name for name in named if not (root / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_make_targets_a_page_names_exist(root, page):
    text = (root / page).read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)(?=`|$)", text, re.MULTILINE))
    assert named <= targets
