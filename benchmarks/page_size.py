"""The report page beside BertViz' head view: bytes, nodes, and when something is seen.

    pip install bertviz
    npm install requirejs@2.3.6 d3@5.7.0 jquery@2.1.4
    python -m benchmarks.page_size --libraries node_modules [--repeats 5] [--json FILE]

Both show the same 12 layers of 12 heads over 128 tokens. BertViz' page loads three
libraries from the network; here they are read from --libraries, so that it is drawn too
and does not wait for a line, and their bytes are counted apart. The time to the first
paint is the browser's own, from the start of the navigation; "drawn" is when the first
layer is on view, and "all" when the whole of ours is, its 144 thumbnails included.
"bare", a page of one heading, says what the browser itself takes. Before each opening
the browser rests: it needs seconds to throw BertViz' nodes away, and whatever is opened
meanwhile is painted late.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from regard.reports import AttentionRecord, Example, write_report
from tests.reports.chromium import Browser

LAYERS, HEADS, TOKENS = 12, 12, 128
REST = 2.0  # seconds before each opening
_LIBRARIES = {  # what BertViz' page names -> where npm puts it
    "require": "requirejs/require.js",
    "d3": "d3/dist/d3.min.js",
    "jquery": "jquery/dist/jquery.min.js",
}
# Notes when each condition holds first, in the page itself.
_WATCH = """(() => { const conditions = %s; const seen = {}; window.__seen = seen;
const look = () => { for (const [name, holds] of Object.entries(conditions))
  if (!(name in seen) && document.body && holds()) seen[name] = performance.now();
  if (Object.keys(seen).length < Object.keys(conditions).length) setTimeout(look, 4); };
look(); })()"""
_ASK = """(() => { const paint = performance.getEntriesByName("first-contentful-paint");
return { ...window.__seen, paint: paint[0]?.startTime ?? null,
  nodes: document.querySelectorAll("*").length }; })()"""
CONDITIONS = {
    "ours": {
        "drawn": "document.querySelector('#inspector dd')",
        "all": f"document.querySelectorAll('#heads canvas').length == {LAYERS * HEADS}",
    },
    "BertViz": {"drawn": "document.querySelector('svg line')"},
    "bare": {},
}


def weights() -> np.ndarray:
    """``(layers, heads, tokens, tokens)``: heads from sharp to flat, drawn once."""
    rng = np.random.default_rng(0)
    shape = (LAYERS, HEADS, TOKENS, TOKENS)
    scores = rng.normal(size=shape) * rng.uniform(0.5, 4, (LAYERS, HEADS, 1, 1))
    table = np.exp(scores - scores.max(-1, keepdims=True))
    return (table / table.sum(-1, keepdims=True)).astype("float32")


def ours(table: np.ndarray, tokens: list[str], path: Path) -> dict[str, Any]:
    records = [
        AttentionRecord(
            weights=each, query_tokens=tokens, key_tokens=tokens, layer=f"layer {at}"
        )
        for at, each in enumerate(table)
    ]
    example = Example(source=" ".join(tokens), output="", attention=records)
    write_report([example], path)
    return {"bytes": path.stat().st_size, "libraries": 0}


def bertviz(
    table: np.ndarray, tokens: list[str], path: Path, libraries: Path | None
) -> dict[str, Any]:
    import torch
    from bertviz import head_view

    layers = [torch.from_numpy(each)[None] for each in table]
    page = head_view(layers, tokens, html_action="return").data
    size = len(page.encode())
    extra = 0
    if libraries is not None:
        found = {name: libraries.resolve() / at for name, at in _LIBRARIES.items()}
        extra = sum(each.stat().st_size for each in found.values())
        page = re.sub(r'https://[^"]*require[^"]*\.js', found["require"].as_uri(), page)
        for name in ("d3", "jquery"):
            local = found[name].as_uri().removesuffix(".js")
            page = re.sub(rf"'https://[^']*/{name}[^']*'", f"'{local}'", page)
    head = '<!doctype html><html><head><meta charset="utf-8"></head><body>'
    path.write_text(f"{head}{page}</body></html>", "utf-8")
    return {"bytes": size, "libraries": extra}


def bare(path: Path) -> dict[str, Any]:
    size = path.write_text("<!doctype html><title>bare</title><h1>bare</h1>", "utf-8")
    return {"bytes": size, "libraries": 0}


def opened(browser: Browser, path: Path, conditions: dict[str, str]) -> dict[str, Any]:
    """One opening: milliseconds by name, and how many nodes there are at the end."""
    watched = ", ".join(f"{name}: () => {code}" for name, code in conditions.items())
    script = _WATCH % f"{{ {watched} }}"
    added = browser.send("Page.addScriptToEvaluateOnNewDocument", source=script)
    browser.send("Page.navigate", url="about:blank")
    time.sleep(REST)
    browser.send("Page.navigate", url=path.as_uri())
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = browser.ask(_ASK)
        if set(conditions) <= set(found) and found["paint"] is not None:
            break
        time.sleep(0.1)
    browser.send(
        "Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"]
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libraries", type=Path, help="a node_modules folder")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table, tokens = weights(), [f"token{at}" for at in range(TOKENS)]
    with tempfile.TemporaryDirectory() as folder:
        pages = {name: Path(folder) / f"{name}.html" for name in CONDITIONS}
        found = {
            "ours": ours(table, tokens, pages["ours"]),
            "BertViz": bertviz(table, tokens, pages["BertViz"], options.libraries),
            "bare": bare(pages["bare"]),
        }
        browser = Browser(Path(folder) / "profile")
        try:
            turns: dict[str, list[dict[str, Any]]] = {name: [] for name in pages}
            for _ in range(
                options.repeats
            ):  # in turns, so that all meet the same noise
                for name, path in pages.items():
                    turns[name].append(opened(browser, path, CONDITIONS[name]))
        finally:
            browser.close()
    for name, each in turns.items():
        for measure in ("paint", "drawn", "all", "nodes"):
            values = [turn[measure] for turn in each if turn.get(measure) is not None]
            found[name][measure] = statistics.median(values) if values else None
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def show(found: dict[str, dict[str, Any]]) -> None:
    names = ("bytes", "libraries", "nodes", "paint", "drawn", "all")
    print(f"{'':8}" + "".join(f"{name:>13}" for name in names))
    for name, row in found.items():
        cells = ["–" if row[each] is None else f"{row[each]:,.0f}" for each in names]
        print(f"{name:8}" + "".join(f"{cell:>13}" for cell in cells))
    print("bytes of the page and of the libraries it loads; milliseconds, medians")


if __name__ == "__main__":
    main()
