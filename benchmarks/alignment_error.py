"""Alignment error rate of a translator's attention, beside two baselines.

    python -m benchmarks.alignment_error RUN --gold FILE [FILE ...] [--max-words 15]

The gold translations are forced through the trained run, and what every step looked at
becomes word links. Gold tables are read as `regard.seeing.gold_alignments` says, and
turned round where their source is the language that the run writes.

Below stand the diagonal and IBM Model 1, trained on the run's own pairs and the gold
sentences (without their links). "per target" links each target word to one source
word, "per source" each source word to one target word.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from regard.apps.translate.forced import Forced, direction_of, force
from regard.apps.translate.pairs import read_pairs
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.translator import Translator
from regard.seeing.alignment import (
    READINGS,
    AlignmentCounts,
    Link,
    diagonal_links,
    strongest_links,
)
from regard.seeing.gold_alignments import GoldPair, read_gold_alignments
from regard.seeing.ibm_model_1 import IbmModel1, split_words

Rows = list[tuple[str, AlignmentCounts]]
NAMES = {
    "output": "attention, row that predicts the word",
    "input": "attention, row after the word was fed",
}


def attention_rows(forced: Sequence[Forced]) -> Rows:
    """Both readings of the attention, linked per target and per source word."""
    rows = []
    for per in ("target", "source"):
        for reading in READINGS:
            counts = [
                each.pair.count(strongest_links(each.words(reading), per))
                for each in forced
            ]
            rows.append((f"{NAMES[reading]}, per {per}", total(counts)))
    return rows


def baseline_rows(gold: Sequence[GoldPair], folder: RunFolder) -> Rows:
    """The diagonal, and IBM Model 1 in both directions."""
    files = folder.facts().get("pairs", [])
    pairs = read_pairs(*files[:2]).pairs if files else []
    texts = [(split_words(pair.source), split_words(pair.target)) for pair in pairs]
    texts += [(pair.source, pair.target) for pair in gold]
    forward = IbmModel1(texts)
    backward = IbmModel1([(target, source) for source, target in texts])

    def turned(pair: GoldPair) -> set[Link]:
        links = backward.links(pair.target, pair.source, per="source")
        return {(source, target) for target, source in links}

    def measure(links: Callable[[GoldPair], Iterable[Link]]) -> AlignmentCounts:
        return total(pair.count(links(pair)) for pair in gold)

    return [
        ("diagonal", measure(lambda p: diagonal_links(len(p.source), len(p.target)))),
        (
            "IBM Model 1, t(target|source), per target",
            measure(lambda p: forward.links(p.source, p.target)),
        ),
        (
            "IBM Model 1, t(target|source), per source",
            measure(lambda p: forward.links(p.source, p.target, per="source")),
        ),
        ("IBM Model 1, t(source|target), per target", measure(turned)),
    ]


def total(counts: Iterable[AlignmentCounts]) -> AlignmentCounts:
    return sum(counts, AlignmentCounts())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder of a trained translator")
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--max-words", type=int, help="of the source; longer are left")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    options = parser.parse_args()
    folder = RunFolder.open(options.run)
    translator = Translator.load(folder)
    sides = translator.source, translator.target
    gold = [pair for path in options.gold for pair in read_gold_alignments(path)]
    turned = direction_of(gold, sides)
    gold = [pair.transposed() for pair in gold] if turned else gold
    if options.max_words:
        gold = [pair for pair in gold if len(pair.source) <= options.max_words]
    rows = attention_rows(force(translator.model, gold, sides))
    rows += baseline_rows(gold, folder)
    show(options, rows, turned)


def show(options: argparse.Namespace, rows: Rows, turned: bool) -> None:
    names = ", ".join(path.name for path in options.gold)
    print(f"{names}{' (turned round)' if turned else ''}: {rows[0][1].sure} sure links")
    width = max(len(name) for name, _ in rows)
    print(f"{'':{width}}  links  precision  recall    AER")
    for name, counts in rows:
        print(
            f"{name:{width}}  {counts.predicted:5}  {counts.precision:9.3f}  "
            f"{counts.recall:6.3f}  {counts.error_rate:.3f}"
        )
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"alignment_error-{options.run.name}.json"
    found = {name: vars(counts) | {"aer": counts.error_rate} for name, counts in rows}
    content = {"gold": names, "turned": turned, "rows": found}
    path.write_text(json.dumps(content, indent=1))
    print(path)


if __name__ == "__main__":
    main()
