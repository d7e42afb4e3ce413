"""Every phrase is there in both languages, in one place, and is said somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

import regard.reports.phrases as module
from regard.reports import render_report
from regard.reports.bundle import SOURCES
from regard.reports.phrases import phrases
from regard.reports.templates import text_of
from regard.seeing.diagnostics import THRESHOLDS

FOLDER = Path(module.__file__).parent
FILES = sorted(FOLDER.rglob("*.toml"))
SPOKEN = ("pages", "patterns", "report")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_languages_say_the_same(file):
    for key, texts in tomllib.loads(file.read_text("utf-8")).items():
        assert set(texts) == {"en", "ru"}, key
        fields = [set(re.findall(r"\{\w+\}", text)) for text in texts.values()]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize(
    "names",
    [
        (*SPOKEN, "without_script"),
        (*SPOKEN, "facts"),
        (*SPOKEN, "kept"),
        ("pages", "explained"),
        ("diagnosis",),
    ],
)
def test_no_phrase_hides_another(names):
    files = [file for file in FILES if file.stem in names or file.parent.name in names]
    keys = [key for file in files for key in tomllib.loads(file.read_text("utf-8"))]
    assert sorted(keys) == sorted(phrases("en", *names))


def asked_by(program, page):
    """Keys, and beginnings of keys: t("tab_" + name)."""
    asked = set(re.findall(r'\bt\("(\w+)"', program))
    asked |= set(re.findall(r'\boffer\(.*, "(\w+_)", ', program))
    asked |= set(re.findall(r'data-(?:t|label)="(\w+)"', page))
    return asked, {each for each in asked if each.endswith("_")}


def test_the_report_asks_for_phrases_that_exist_and_for_all_of_them():
    known = set(phrases("en", *SPOKEN))
    program = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.js"))
    asked, built = asked_by(program, render_report([]))
    assert asked - built <= known
    words = {"previous token", "same token", "next token", "not finite"}
    words |= set(THRESHOLDS) - {"offset"} | {"sharpened"}
    words |= {"entropy", "effective positions", "off-diagonality"}  # lines of a probe
    assert words <= known
    named = {key for key in known if key.startswith(tuple(built))}
    used = {key for key in known if f'"{key}"' in program}
    assert known == asked - built | words | named | used


def test_the_steps_ask_for_phrases_that_exist_and_for_all_of_them():
    program = "".join(text_of(f"explained/{name}.js") for name in ("steps", "what_if"))
    asked, _ = asked_by(program, text_of("explained/page.html"))
    named = set(re.findall(r't\(playing \? "(\w+)" : "(\w+)"\)', program)[0])
    beside_the_steps = {"for", "shapes", "counted"}
    known = set(phrases("en", "pages", "explained"))
    assert asked | named == known | beside_the_steps


def test_without_scripts_every_phrase_is_said():
    said = "".join(
        (FOLDER.parent / name).read_text("utf-8")
        for name in ("page.py", "fallback.py", "page_facts.py", "kept.py")
    )
    for key in phrases("en", "without_script", "facts", "kept"):
        assert f'"{key}"' in said or f"'{key}'" in said, key
