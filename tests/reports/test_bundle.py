"""What a report carries was built from the sources beside it, and is small."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from regard.reports import AttentionRecord, Example, Timeline, bundle, render_report
from regard.reports.encoding import inflate
from regard.reports.package import pack_examples
from regard.reports.phrases import phrases
from regard.reports.templates import built
from regard.reports.views import VIEWS, program_of, views_of
from tests.reports.browser import NODE
from tests.reports.examples import make_record
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
    text = (bundle.BUILT / name).read_text("utf-8")
    assert text.startswith(bundle.first_line(name)), "run `make page`"


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


def test_no_blank_of_a_phrase_is_shortened():
    told = " ".join(phrases("en", "pages", "patterns", "report").values())
    assert not set(re.findall(r"\{(\w+)\}", told)) & set(bundle.OWN)


def test_the_style_stays_small():
    styles = (bundle.BUILT / name for name in ("page.css", "views.css"))
    assert sum(path.stat().st_size for path in styles) <= 6_300


def page_of(examples):
    return render_report(examples, embed_audio=True)


def program(page):
    return inflate(re.search('id="program">([^<]*)<', page)[1]).decode()


def programs():
    """The script of the page of each of the gallery's examples."""
    return [program(page_of([example])) for example in gallery()]


def pages_of_a_kind():
    """Several examples of one kind, of a translation both short and long ones."""
    translation, compare, training, series, sound, long, hebrew, text, more = gallery()
    words = [f"t{at}" for at in range(100)]
    far = {"source": " ".join(words), "output": "far"}
    linked = Example(
        **far, attention=make_record(words, words[::-1]), gold=({(0, 0)}, {(1, 1)})
    )
    plain = replace(
        translation, explanation=None, attention=make_record(list("ab"), list("cd")),
        gold=({(0, 0)}, {(1, 1)}),
    )  # fmt: skip
    heard = Timeline(
        keys=100, log_mel=np.zeros((3, 8)), seconds=0.5,
        audio=np.zeros(400_000), rate=8000,
    )  # fmt: skip
    spoken = Example(**far, attention=make_record(list("ab"), words), timeline=heard)
    return {
        "translation": [translation] * 2,
        "translation, short and long": [plain, linked],
        "compare": [compare] * 2,
        "training": [training] * 2,
        "series": [series, series, more],
        "sound": [sound] * 2,
        "long sound": [spoken] * 2,
        "long": [long] * 2,
        "right to left": [hebrew] * 2,
        "sentences": [text] * 2,
    }


# What every page may carry: several examples and heads, maps both small and large.
_ANY = set("list heads matrix canvas minimap numbers".split())
# What pages of one task may carry besides. An outlined map is never compared.
TASKS = {
    "translation": "lags arcs gold words outline",
    "explained or classified twice": "lags arcs gold words answer sentences compare",
    "classified": "lags arcs words answer sentences outline",
    "series and sound": "lags timeline sound bands outline",
    "two of them": "lags timeline sound bands compare",
    "training": "training multiples lags arcs gold words",
    "training of itself": "training multiples lags words outline",
}
# Pages of several tasks are larger than they should be; here is how large.
OVER = {
    "timeline sound bands arcs gold words": 31_200,
    "timeline sound bands lags arcs words answer sentences": 33_500,
}


def with_any(views):
    """Them and those that every page may carry, in the order that pages run them."""
    return tuple(name for name in VIEWS if name in _ANY | set(views))


@pytest.mark.parametrize("task", TASKS)
def test_a_page_of_a_task_stays_small_whatever_it_carries(task):
    views = TASKS[task].split()
    for count in range(len(views) + 1):
        for chosen in combinations(views, count):
            size = len(program_of.__wrapped__(with_any(chosen)).encode())
            assert size <= 30_000, (chosen, size)


@pytest.mark.parametrize("views", OVER)
def test_a_page_of_several_tasks_does_not_grow(views):
    assert 30_000 < len(program_of(with_any(views.split())).encode()) <= OVER[views]


def test_pages_carry_what_a_task_may():
    tasks = [_ANY | set(views.split()) for views in (*TASKS.values(), *OVER)]
    for examples in (*pages_of_a_kind().values(), *([each] for each in gallery())):
        carried = set(views_of(pack_examples(examples, 10_000_000, True).entries))
        assert any(carried <= task for task in tasks), carried


@pytest.mark.parametrize("kind", pages_of_a_kind())
def test_a_page_of_several_examples_stays_small(kind):
    page = page_of(pages_of_a_kind()[kind])
    assert len(program(page).encode()) <= 30_000
    assert shell(page) <= 40_000


def test_a_page_of_all_kinds_stays_small():
    assert shell(page_of(gallery())) <= 40_000


def outlined():
    """An example of whose map only an outline was kept."""
    weights = np.full((1, 8, 8), 1 / 8)
    outline = {
        "entropy": np.full((1, 8), np.log(8)), "visible": np.full((1, 8), 8),
        "received": weights.sum(1), "top_keys": np.tile(np.arange(4), (1, 8, 1)),
        "top_weights": weights[..., :4], "largest": weights, "mean": weights,
    }  # fmt: skip
    tokens = {"query_tokens": list("abcdefgh"), "key_tokens": list("ijklmnop")}
    return Example(
        source="s", output="o", attention=AttentionRecord(outline=outline, **tokens)
    )


def test_a_page_of_all_kinds_and_an_outlined_map_stays_small():
    page = page_of([*gallery(), outlined()])
    script = program(page)
    assert all(built(f"{name}.js") in script for name in VIEWS)
    assert shell(page) <= 40_000


def test_a_page_speaks_the_phrases_of_its_views():
    packed = re.search('id="phrases">([^<]*)<', page_of(gallery()[6:7]))[1]
    spoken = json.loads(inflate(packed))
    assert [spoken[each]["tab_arcs"] for each in ("en", "ru")] == ["Links", "Связи"]
    assert not {"tab_timeline", "step", "zoom_in"} & set(spoken["en"])


def test_the_script_of_a_page_stays_small():
    assert max(len(each.encode()) for each in programs()) <= 30_000


def test_a_page_carries_the_views_its_data_needs():
    for program, (one, none) in zip(programs(), CARRIED, strict=True):
        assert built(f"{one}.js") in program
        assert built(f"{none}.js") not in program


def shell(page):
    """How large a page is without what its examples hold."""
    for data in ("<noscript>.*?</noscript>", r'id="(data|w\w+)">[^<]*'):
        page = re.sub(data, "", page, flags=re.DOTALL)
    return len(page.encode())


def test_the_shell_of_a_page_stays_small():
    for example in gallery():
        assert shell(page_of([example])) <= 40_000


def test_a_page_of_nothing_carries_no_view():
    assert views_of([]) == ()
    assert program_of(()).endswith("start()})();")
