"""What a report carries was built from the sources beside it, and is small."""

import json
import os
import re
import shutil
import subprocess

import pytest

from regard.reports import bundle, render_report
from regard.reports.encoding import inflate
from regard.reports.templates import text_of
from regard.reports.views import VIEWS, program_of, views_of
from tests.reports.browser import NODE
from tests.reports.gallery import gallery

ESBUILD = (
    os.environ.get("ESBUILD")
    or shutil.which("esbuild")
    or shutil.which("esbuild", path=NODE / ".bin")
)
# The gallery's page of each example, and what it must and must not carry.
CARRIED = [
    ("arcs", "timeline"), ("compare", "training"), ("training", "compare"),
    ("timeline", "words"), ("timeline", "arcs"), ("canvas", "matrix"),
    ("arcs", "heads"), ("sentences", "timeline"), ("timeline", "bands"),
]  # fmt: skip


@pytest.mark.parametrize("name", bundle.names())
def test_the_built_files_are_of_the_sources_as_they_are(name):
    built = (bundle.BUILT / name).read_text("utf-8")
    assert built.startswith(bundle.first_line(name)), "run `make page`"


def test_nothing_else_lies_beside_them():
    assert sorted(path.name for path in bundle.BUILT.iterdir()) == sorted(
        bundle.names()
    )


@pytest.mark.skipif(not ESBUILD, reason="no esbuild: set ESBUILD, or run `make page`")
@pytest.mark.parametrize("name", bundle.names())
def test_building_again_gives_the_same_bytes(name):
    asked = subprocess.run([ESBUILD, "--version"], capture_output=True, text=True)
    assert asked.stdout.strip() == bundle.VERSION
    assert bundle.build(name, ESBUILD) == (bundle.BUILT / name).read_text("utf-8")


def test_every_view_is_one_file_and_one_row():
    files = {path.stem for path in (bundle.SOURCES / "views").glob("*.js")}
    assert files == set(VIEWS)
    for name in files:
        source = (bundle.SOURCES / "views" / f"{name}.js").read_text("utf-8")
        assert f'register("{name}", ' in source
        assert set(re.findall('from "(.*)";', source)) == {"../core/core.js"}


def names_in(value):
    """Every name in data, however deep."""
    if isinstance(value, list):
        return {name for each in value for name in names_in(each)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {name for each in value.values() for name in names_in(each)}


def test_no_name_of_the_data_is_shortened():
    page = render_report(gallery())
    data = json.loads(re.search('id="data">(.*?)</script>', page, re.DOTALL)[1])
    found = names_in(data)
    assert {"examples", "maps", "gold", "timeline", "steps"} <= found
    assert not found & set(bundle.OWN)


def test_the_style_stays_small():
    assert (bundle.BUILT / "page.css").stat().st_size <= 6_000


def programs():
    """The script of the page of each of the gallery's examples."""
    pages = (render_report([example]) for example in gallery())
    packed = (re.search('id="program">([^<]*)<', page)[1] for page in pages)
    return [inflate(each).decode() for each in packed]


def built(view):
    """What a page carries of a view: all but the hash of its sources."""
    return text_of(f"built/{view}.js").partition("\n")[2]


def test_the_script_of_a_page_stays_small():
    assert max(len(each.encode()) for each in programs()) <= 30_000


def test_a_page_carries_the_views_its_data_needs():
    for program, (one, none) in zip(programs(), CARRIED, strict=True):
        assert built(one) in program and built(none) not in program


def test_the_shell_of_a_page_stays_small():
    for example in gallery():
        page = render_report([example])
        for data in ("<noscript>.*?</noscript>", 'id="(data|w0)">[^<]*'):
            page = re.sub(data, "", page, flags=re.DOTALL)
        assert len(page.encode()) <= 40_000


def test_a_page_of_nothing_carries_no_view():
    assert views_of([]) == ()
    assert program_of(()).endswith("core.start();")
