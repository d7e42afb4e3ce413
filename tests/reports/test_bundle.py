"""What a report carries was built from the sources beside it, and is small."""

import os
import shutil
import subprocess

import pytest

from regard.reports import bundle
from regard.reports.encoding import deflate

ESBUILD = os.environ.get("ESBUILD") or shutil.which("esbuild")


@pytest.mark.parametrize("name", ["page.js", "page.css"])
def test_the_built_files_are_of_the_sources_as_they_are(name):
    built = (bundle.BUILT / name).read_text("utf-8")
    assert built.startswith(bundle.first_line(name)), "run `make page`"


@pytest.mark.skipif(not ESBUILD, reason="no esbuild: set ESBUILD, or run `make page`")
@pytest.mark.parametrize("name", ["page.js", "page.css"])
def test_building_again_gives_the_same_bytes(name):
    asked = subprocess.run([ESBUILD, "--version"], capture_output=True, text=True)
    assert asked.stdout.strip() == bundle.VERSION
    assert bundle.build(name, ESBUILD) == (bundle.BUILT / name).read_text("utf-8")


def test_script_and_style_stay_small():
    program = (bundle.BUILT / "page.js").read_text("utf-8")
    assert len(deflate(program.encode())) <= 30_000  # as it lies in a report
    assert (bundle.BUILT / "page.css").stat().st_size <= 6_000
