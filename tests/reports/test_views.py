"""The views of the page, each in a real browser, on numbers that are known."""

import numpy as np
import pytest

from regard.reports import (
    AttentionRecord,
    Example,
    Explanation,
    Removal,
    Timeline,
    Training,
)
from regard.seeing.alignment import (
    count_links,
    merge_pieces,
    rows_of_targets,
    strongest_links,
)
from regard.seeing.gold_alignments import GoldPair
from regard.seeing.map_measures import jensen_shannon
from tests.reports.browser import needs_browser
from tests.reports.examples import make_record

pytestmark = needs_browser

HEADS = 'const cells = () => [...document.querySelectorAll("#heads button")];'
SET = (
    "const set = (id, value, event) => { const e = typeof id === 'string' "
    "? document.getElementById(id) : id; e.value = value;"
    " e.dispatchEvent(new Event(event)); };"
)
SOURCE = "▁the ▁cat s ▁sleep </s>".split()
OUTPUT = "▁кош ки ▁спят </s>".split()


def stack(*maps):
    return np.stack([np.asarray(each, float) for each in maps])


def several():
    sharp, flat = np.eye(3), np.full((3, 3), 1 / 3)
    back = np.eye(3)[::-1]
    tokens = {"query_tokens": list("abc"), "key_tokens": list("xyz")}
    records = [
        AttentionRecord(
            weights=stack(flat, sharp), layer="one", importance=[0.1, 0.3], **tokens
        ),
        AttentionRecord(
            weights=stack(back, flat), layer="two", importance=[0.4, 0.2], **tokens
        ),
    ]
    return Example(source="s", output="o", attention=records)


def test_the_grid_names_every_head_and_says_what_it_does(ask):
    names, first, columns = ask(
        [several()],
        f"{HEADS} return [cells().map((e) => e.querySelector('b').textContent),"
        "cells()[1].innerText, cells().map((e) => e.querySelector('canvas').width)];",
    )
    assert names == ["L1 H1", "L1 H2", "L2 H1", "L2 H2"]
    assert "1.0 keys" in first and "diagonal" in first and "importance 0.300" in first
    assert columns == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("entropy", ["L1 H2", "L2 H1", "L1 H1", "L2 H2"]),
        ("diagonality", ["L1 H2", "L1 H1", "L2 H2", "L2 H1"]),
        ("importance", ["L2 H1", "L1 H2", "L2 H2", "L1 H1"]),
    ],
)
def test_heads_are_sorted_by_a_number_of_theirs(ask, order, wanted):
    names = ask(
        [several()],
        f"{HEADS}{SET} set('order', '{order}', 'change');"
        "return cells().map((e) => e.querySelector('b').textContent);",
    )
    assert names == wanted


def test_arrows_move_in_the_grid_and_enter_and_a_open(ask):
    moved, opened, mean, stops = ask(
        [several()],
        f"{HEADS} cells()[0].focus(); const at = () => cells().indexOf("
        "document.activeElement); const moved = [];"
        'for (const key of ["ArrowRight", "ArrowDown", "Home", "End", "ArrowUp"])'
        "{ press(key); moved.push(at()); }"
        "const stops = cells().filter((e) => e.tabIndex === 0).length;"
        "document.activeElement.click(); const opened = location.hash;"
        'press("a"); return [moved, opened, location.hash, stops];',
    )
    assert moved == [1, 3, 0, 3, 1] and stops == 1
    assert "m=0" in opened and "h=1" in opened
    assert "m=0" in mean and "h=-1" in mean


def test_an_address_reopens_layer_head_query_and_key(ask):
    chosen = ask(
        [several()],
        'return [document.getElementById("layer").value,'
        ' document.getElementById("head").value, text("#inspector dd").slice(0, 3)];',
        place="m=1&h=0&q=2&k=0",
    )
    assert chosen == ["1", "0", ["c", "x", "1.0000"]]


def translated(seed=0):
    rng = np.random.default_rng(seed)
    record = AttentionRecord(
        weights=rng.dirichlet(np.full(5, 0.4), size=(2, 4)),
        query_tokens=OUTPUT,
        key_tokens=SOURCE,
    )
    gold = GoldPair(
        "1", ("the", "cats", "sleep"), ("кошки", "спят"),
        frozenset({(1, 0), (2, 1)}), frozenset({(0, 0)}),
    )  # fmt: skip
    return Example(source="the cats sleep", output="кошки спят", attention=record,
                   gold=gold)  # fmt: skip


@pytest.mark.parametrize("reading", ["output", "input"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_page_counts_links_as_python_does(ask, reading, seed):
    example = translated(seed)
    rows = rows_of_targets(example.attention.weights[1], reading)
    words = merge_pieces(rows, [[0, 1], [2]], [[0], [1, 2], [3]])
    counts = count_links(strongest_links(words), example.gold.sure, {(0, 0)})
    (said,) = ask(
        [example], 'return text("#stage b");', place=f"v=arcs&h=1&g={reading}"
    )
    right = counts.predicted_possible
    wrong = counts.predicted - right
    assert said == f"✓ {right}  ✗ {wrong}  AER {counts.error_rate:.4f}"


def test_links_are_the_fewest_that_cover_the_share(ask):
    weights = [[0.5, 0.3, 0.2], [0.85, 0.1, 0.05]]
    record = AttentionRecord(
        weights=weights, query_tokens=["a", "b"], key_tokens=list("xyz")
    )
    counted = ask(
        [Example(source="s", output="o", attention=record)],
        f"{SET} const note = () => text('#stage p').at(-1).split(' ')[0];"
        "const found = [note()];"
        'const [only] = document.querySelectorAll("#stage select");'
        'set(document.querySelector("#stage [type=range]"), 95, "input");'
        'found.push(note()); set(only, "1", "change"); found.push(note());'
        "return found;",
        place="v=arcs&q=1",
    )
    assert counted == ["3", "5", "2"]


def classified():
    tokens = ["good", "not", "film"]
    record = AttentionRecord(
        weights=[[0.2, 0.5, 0.3]], query_tokens=["answer"], key_tokens=tokens
    )
    explanation = Explanation(
        probabilities={"yes": 0.75, "no": 0.25},
        compared={"gradient × input": [1.0, -3.0, 0.0]},
        removal=Removal(
            order=[1, 2, 0], counts=[0, 1, 3],
            probabilities=[[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]],
        ),
    )  # fmt: skip
    return Example(source="good not film", output="yes", attention=record,
                   explanation=explanation)  # fmt: skip


def test_removing_the_strongest_tokens_moves_the_probabilities(ask):
    before, after, gone, lines = ask(
        [classified()],
        f"{SET} const bars = () => text('.bars dd').map((e) => e.trim());"
        "const before = bars();"
        "set(document.querySelector('#stage [type=range]'), 1, 'input');"
        "return [before, bars(), text('.gone'), text('#stage .quiet')];",
        place="v=words",
    )
    assert before == ["0.750", "0.250"] and after == ["0.500", "0.500"]
    assert gone == ["not", "not"]  # in both lines
    plain = [line.replace("\u2068", "").replace("\u2069", "") for line in lines]
    assert plain[0] == "not 0.50 · film 0.30 · good 0.20"
    assert plain[1] == "not −0.75 · good 0.25 · film 0.00"


COLOURS = """const found = (query) => [...document.querySelectorAll(query)];
const pixels = (query) => found(query).map((canvas) =>
[...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]);
while (document.querySelector(".thumbnail:empty"))
  await new Promise((done) => setTimeout(done, 20));"""


def test_pictures_of_heads_have_the_colours_of_the_weights(ask):
    eye = np.eye(2)
    masks = {"user": np.array([[[1, 0], [1, 1]], [[1, 1], [1, 1]]], bool)}
    record = AttentionRecord(
        weights=stack(eye, eye[::-1]), masks=masks,
        query_tokens=list("ab"), key_tokens=list("xy"),
    )  # fmt: skip
    pictures = ask(
        [Example(source="s", output="o", attention=record)],
        f"{COLOURS} return pixels('#heads canvas');",
    )
    light, dark = [247, 251, 255, 255], [8, 48, 107, 255]
    first, second = (np.reshape(each, (4, 4)).tolist() for each in pictures)
    assert first == [dark, [255] * 4, light, dark]  # a hidden cell is as paper
    assert second == [light, dark, dark, light]


def test_a_large_picture_has_the_colours_of_the_weights(ask):
    tokens = [str(at) for at in range(70)]
    record = AttentionRecord(weights=np.eye(70), query_tokens=tokens, key_tokens=tokens)
    (picture,) = ask(
        [Example(source="s", output="o", attention=record)],
        f"{COLOURS} return pixels('#stage .canvas canvas');",
    )
    pixels = np.reshape(picture, (-1, 4))
    dark = (pixels == [8, 48, 107, 255]).all(1).sum()
    light = (pixels == [247, 251, 255, 255]).all(1).sum()
    assert dark > 60 * 100 and light > 60 * dark


def test_a_sequence_that_reads_itself_is_shown_by_distance(ask):
    weights = np.array([[1.0, 0, 0], [0.75, 0.25, 0], [0.125, 0.5, 0.375]])
    tokens = {"query_tokens": list("abc"), "key_tokens": list("abc")}
    masks = {"causal": np.tril(np.ones((3, 3), bool))}
    record = AttentionRecord(weights=weights, masks=masks, **tokens)
    heads, cells, hidden = ask(
        [Example(source="s", output="o", attention=record)],
        'document.getElementById("lag").click();'
        'return [text(".map thead th"), text("td[data-row]"),'
        ' [...document.querySelectorAll("td.masked")].map((e) => e.title)];',
    )
    assert heads == ["i−2", "i−1", "i"]
    assert cells == ["", "", "1", "", ".75", ".25", ".13", ".50", ".38"]
    assert hidden == ["masked: outside the sequence"] * 3


def test_other_measures_stand_beside_the_weight(ask):
    record = AttentionRecord(
        weights=[[0.75, 0.25]], query_tokens=["a"], key_tokens=["x", "y"],
        shares={"norm": [[0.125, 0.875]], "mine": [[1.0, 0.0]]},
    )  # fmt: skip
    numbers, lines = ask(
        [Example(source="s", output="o", attention=record)],
        'return [text("#inspector dd"), text("#stage .quiet")];',
        place="v=words&k=1",
    )
    assert numbers[2:] == ["0.2500", "2 / 2", "× 0.50", "0.8750", "0.0000"]
    plain = [line.replace("\u2068", "").replace("\u2069", "") for line in lines]
    assert plain[:3] == ["x 0.75 · y 0.25", "y 0.88 · x 0.13", "x 1.00 · y 0.00"]


def test_a_page_opens_where_there_is_most_to_see(ask):
    record = make_record(["+1"], list("abcd"))
    series = Timeline(keys=4, channels={"load": [1, 2, 4, 3]})
    examples = [
        (Example(source="s", output="o", attention=record, timeline=series), "Time"),
        (classified(), "Text"),
        (translated(), "Matrix"),
    ]
    for example, wanted in examples:
        opened = ask([example], "return text('#tabs [aria-selected=\"true\"]');")
        assert opened == [wanted]


@pytest.mark.parametrize(("language", "told"), [("en", "3.0·10⁻⁵"), ("ru", "3,0·10⁻⁵")])
def test_a_tiny_weight_is_told_as_a_power_of_ten(ask, language, told):
    record = AttentionRecord(
        weights=[[1 - 3e-5, 3e-5]], query_tokens=["a"], key_tokens=["x", "y"]
    )
    cells = ask(
        [Example(source="s", output="o", attention=record)],
        'return text("#inspector dd");',
        place=f"k=1&lang={language}",
    )
    assert cells[2] == told


def test_two_models_are_compared_row_by_row(ask):
    first, second = (make_record(["a", "b"], list("xyz"), seed=seed) for seed in (1, 2))
    cells, apart, columns = ask(
        [Example(source="s", output="o", attention=first, other=second)],
        'return [[...document.querySelectorAll("td[data-row]")].map((e) =>'
        ' e.getAttribute("aria-label").split(": ")[1]),'
        ' text("#inspector dd")[3], text(".map tbody tr:first-child .sum")];',
        place="c=2",
    )
    difference = (second.weights - first.weights)[0].ravel()
    assert any(each.startswith("−") for each in cells)
    shown = [float(each.replace("−", "-")) for each in cells]
    np.testing.assert_allclose(shown, difference, atol=6e-5)
    wanted = jensen_shannon(first.weights[0], second.weights[0])
    assert float(apart) == pytest.approx(wanted[0], abs=1e-4)
    assert columns == ["0.00", f"{wanted[0]:.2f}"]


def test_the_slider_goes_through_a_training(ask):
    tokens = {"query_tokens": ["a"], "key_tokens": ["x", "y"], "layer": "one"}
    records = [
        [AttentionRecord(weights=[[1 - part, part]], **tokens)]
        for part in (0.5, 0.25, 0.0)
    ]
    training = Training(
        steps=[0, 10, 100],
        records=records,
        lines={"loss": [3.0, 2.0, np.nan], "entropy/one/0": [1, 0.5, 0],
               "entropy/one/1": [1, 1, 1]},
    )  # fmt: skip
    steps, lines = ask(
        [Example(source="s", output="o", training=training)],
        f"{SET} const seen = []; for (const at of [0, 1, 2])"
        "{ set('step', at, 'input');"
        "seen.push([text('#step_said')[0], text('td[data-row]')[0]]); }"
        "return [seen, text('figcaption')];",
    )
    assert steps == [["step 0", ".50"], ["step 10", ".75"], ["step 100", "1"]]
    assert lines == [
        "loss: – (2.000 … 3.000)",
        "entropy, 0 to 1: 0.000 (0.000 … 1.000)",
    ]


def test_a_series_and_sound_are_drawn_over_the_same_time(ask):
    record = make_record(["+1"], list("abcd"))
    series = Timeline(keys=4, channels={"load": [1, 2, 4, 3]}, origin=3)
    sound = Timeline(keys=4, log_mel=np.arange(24.0).reshape(3, 8), seconds=0.5)
    for timeline, place in ((series, "d"), (sound, "1.50 s")):
        notes, painted = ask(
            [Example(source="s", output="o", attention=record, timeline=timeline)],
            'const canvas = document.querySelector("#stage canvas");'
            'const { data } = canvas.getContext("2d").getImageData('
            "0, 0, canvas.width, canvas.height);"
            "return [text('#stage p'), data.some((value) => value)];",
            place="v=timeline&k=3",
        )
        said = notes[0].replace("\u2068", "").replace("\u2069", "")
        assert said.startswith(f"+1 reads {place}: {record.weights[0, 0, 3]:.4f}.")
        assert painted


def test_how_rows_walk_through_time_is_said(ask):
    weights = [[1.0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    record = AttentionRecord(
        weights=weights, query_tokens=list("abcd"), key_tokens=list("wxyz")
    )
    timeline = Timeline(keys=4, channels={"load": [1, 2, 3, 4]})
    (said,) = ask(
        [Example(source="s", output="o", attention=record, timeline=timeline)],
        'return text("#stage p");',
    )
    assert "67 % of steps do not go back" in said
    assert "groups of moments skipped: 2 (moments read less than 0.1 in all: 2)" in said
    assert "read more than 2: 1" in said


def test_the_table_is_sorted_and_the_files_hold_every_number(ask):
    record = AttentionRecord(
        weights=[[0.75, 0.25], [0.0, 1.0]],
        query_tokens=["a", "b"],
        key_tokens=["x", "y"],
    )
    sorted_lines, tsv, json_text, drawn = ask(
        [Example(source="s", output="o", attention=record)],
        "const blobs = []; URL.createObjectURL = (blob) => (blobs.push(blob), '#');"
        "const button = (name) => [...document.querySelectorAll('#stage button')]"
        ".find((e) => e.textContent.startsWith(name));"
        "button('weight').click();"
        "const lines = text('.numbers tbody td:nth-child(3)');"
        "for (const kind of ['TSV', 'JSON', 'SVG']) button(kind).click();"
        "const [tsv, json, svg] = await Promise.all(blobs.map((b) => b.text()));"
        "const drawn = new DOMParser().parseFromString(svg, 'image/svg+xml');"
        "return [lines, tsv, json, [drawn.querySelectorAll('rect').length,"
        " [...drawn.querySelectorAll('text')].map((e) => e.textContent)]];",
        place="v=numbers",
    )
    assert sorted_lines == ["0.2500", "0.7500", "1.0000"]
    head, *lines = [line.split("\t") for line in tsv.strip().split("\n")]
    assert head[:3] == ["Output", "Input", "weight"]
    assert ["a", "x", "0.75", "1", "1.5"] in lines and len(lines) == 3
    assert '"weights":[[0.75,0.25],[0,1]]' in json_text
    assert drawn == [5, ["a", "b", "x", "y"]]
