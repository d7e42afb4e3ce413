"""Beam search with five hypotheses for many sentences.

The recurrent translator of ``regard train translate`` with its default sizes, and a
Transformer of one block a side; the same recurrent model stepped by a Python loop, one
sentence after another as scripts do, and 64 at once; CTranslate2 with a Transformer of
the same shape as the far anchor. All weights are random. Random weights know no end, so
every translation is made as long as any: all contenders take the same steps.
"""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from benchmarks.harness import Contender, Goal, Work, unlike
from benchmarks.works.peers.beam_loop import beam_loop
from benchmarks.works.peers.ctranslate2_model import random_transformer

VOCABULARY, UNITS, BEAM, ROWS = 4000, 256, 5, 64
START, END, FORBIDDEN = 1, 2, (0, 1, 2, 3)
ALONE = 8  # sentences of which the slow loop's time is told


def sentences(count):
    """Lists of ids, most of them of 6 to 16 pieces and an end mark."""
    random = np.random.default_rng(5)
    lengths = random.integers(6, 17, size=count)
    return [[*random.integers(4, VOCABULARY, size=n).tolist(), END] for n in lengths]


def batches(ids, rows):
    """Sorted by length, padded to a multiple of eight, as the translator does it."""
    ids = sorted(ids, key=len)
    for start in range(0, len(ids), rows):
        some = ids[start : start + rows]
        source = np.zeros((rows, -(-len(some[-1]) // 8) * 8), "int32")
        source[:, 0] = END
        for row, each in zip(source, some, strict=False):
            row[: len(each)] = each
        yield source


@cache
def model_of(kind):
    from regard.apps.translate.config import ModelSettings
    from regard.apps.translate.network import make_network

    settings = ModelSettings(
        kind=kind, units=UNITS, embedding=UNITS, layers=1, encoder_layers=1
    )
    model = make_network(settings, VOCABULARY, VOCABULARY)
    random = np.random.default_rng(6)
    model.set_weights(
        [
            random.normal(size=each.shape, scale=0.1).astype("float32")
            for each in model.get_weights()
        ]
    )
    return model


def ours(size, kind):
    from regard.models import Search, Searcher

    search = Search(
        BEAM, max_length=size["pieces"], start=START, end=END, forbidden=FORBIDDEN
    )
    searcher = Searcher(model_of(kind), search)

    def scores(ids, rows):
        found = [searcher(each).log_probabilities for each in batches(ids, rows)]
        return np.concatenate(found)

    contender = Contender(
        {"translate": lambda: scores(sentences(size["sentences"]), ROWS)},
        lambda: [scores(sentences(ALONE), 1)],
    )
    return contender if kind == "recurrent" else unlike(contender)


def in_a_loop(size, rows):
    """Every step leaves the backend, and NumPy chooses the hypotheses."""
    search = beam_loop(model_of("recurrent"), BEAM, size["pieces"], START, FORBIDDEN)

    def scores(ids):
        found = np.concatenate([search(each) for each in batches(ids, rows)])
        return found[: len(ids)]  # what follows fills the last batch

    def translate() -> float:
        count = size["sentences"] if rows > 1 else min(ALONE, size["sentences"])
        start = time.perf_counter()
        scores(sentences(count))
        return (time.perf_counter() - start) * size["sentences"] / count

    return Contender({"translate": translate}, lambda: [scores(sentences(ALONE))])


def of_ctranslate2(size):
    translator = random_transformer(VOCABULARY, UNITS, layers=1, heads=4)
    texts = [[str(each) for each in ids] for ids in sentences(size["sentences"])]
    return Contender(
        {
            "translate": lambda: translator.translate_batch(
                texts,
                beam_size=BEAM,
                max_batch_size=ROWS,
                min_decoding_length=size["pieces"],
                max_decoding_length=size["pieces"],
            )
        }
    )


def goals(backend):
    return [
        Goal("speed", "translate", "loop", 10),
        Goal("speed", "translate", "loop of 64"),
        Goal("speed", "translate", "ctranslate2"),
        Goal("speed", "translate", "ctranslate2", ours="transformer"),
    ]


WORK = Work(
    name="translation",
    title="translating with a beam of 5, 4.7 million weights",
    sizes=({"sentences": 1000, "pieces": 24},),
    quick=({"sentences": 64, "pieces": 8},),
    contenders=lambda backend, size: {
        "regard": lambda: ours(size, "recurrent"),
        "transformer": lambda: ours(size, "transformer"),
        "loop": lambda: in_a_loop(size, 1),
        "loop of 64": lambda: in_a_loop(size, ROWS),
        "ctranslate2": lambda: of_ctranslate2(size),
    },
    goals=goals,
)
