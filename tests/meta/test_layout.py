"""Files stay small, and speak of nothing but the project."""

import re
from pathlib import Path
from statistics import median

CODE = {".py", ".js", ".css", ".html"}
TEXT = CODE | {".md", ".toml", ".json", ".tsv", ".txt", ".cfg", ".sh", ""}
FOLDERS = ("src", "tests", "benchmarks", ".ci")
FOREIGN = {
    "a path of one machine": r"(?<![\w.])/(work|home|root|farm|opt|Users)/",
    "a package index": r"index[-_]url|find[-_]links|pypi[.]org",
    "a merge left open": r"^(<{7}|>{7})",
}


def project_files(root: Path, suffixes: set[str]) -> list[Path]:
    files = [path for path in root.iterdir() if path.is_file()]
    for folder in FOLDERS:
        files += (path for path in (root / folder).rglob("*") if path.is_file())
    return [
        path
        for path in files
        if path.suffix in suffixes
        and path.name != ".git"
        and "__pycache__" not in path.parts
    ]


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_source_file_holds_one_idea(root):
    lengths = [
        lines
        for path in (root / "src").rglob("*.py")
        if (lines := length(path)) > 5  # an empty package says nothing of our files
    ]
    assert median(lengths) < 170


def test_no_file_is_long(root):
    long = {
        str(path.relative_to(root)): lines
        for path in project_files(root, CODE)
        if (lines := length(path)) > 400
    }
    assert long == {}


def test_files_speak_of_the_project_alone(root):
    found = [
        f"{path.relative_to(root)}: {name}: {match.group()}"
        for path in project_files(root, TEXT)
        for name, pattern in FOREIGN.items()
        if (match := re.search(pattern, path.read_text("utf-8"), re.MULTILINE))
    ]
    assert found == []
