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
    import keras
    from keras import ops

    from regard.models.compiled import compiled

    model = model_of("recurrent")

    def begin(source):
        memory = keras.tree.map_structure(
            lambda leaf: ops.repeat(leaf, BEAM, axis=0), model.encode(source)
        )
        return memory, model.initial_state(memory, size["pieces"])

    begin = compiled(begin, model)
    step = compiled(lambda *given: model.step(*given)[::2], model)

    def search(source):
        batch = len(source)
        memory, state = begin(ops.convert_to_tensor(source))
        total = np.full((batch, BEAM), -1e9, "float32")
        total[:, 0] = 0
        tokens = np.full((batch, BEAM), START, "int32")
        ids = np.zeros((batch, BEAM, 0), "int32")
        for _ in range(size["pieces"]):
            tensor = ops.convert_to_tensor(tokens.reshape(-1))
            logits, state = step(tensor, memory, state)
            logits = ops.convert_to_numpy(logits).reshape(batch, BEAM, -1)
            top = logits.max(-1, keepdims=True)
            sums = np.log(np.exp(logits - top).sum(-1, keepdims=True))
            each = logits - top - sums
            each[:, :, list(FORBIDDEN)] = -1e9
            each = (total[..., None] + each).reshape(batch, -1)
            best = np.argpartition(-each, BEAM, axis=1)[:, :BEAM]
            total = np.take_along_axis(each, best, axis=1)
            order = np.argsort(-total, axis=1)
            best, total = (np.take_along_axis(x, order, axis=1) for x in (best, total))
            parent, tokens = best // VOCABULARY, (best % VOCABULARY).astype("int32")
            ids = np.take_along_axis(ids, parent[..., None], axis=1)
            ids = np.concatenate([ids, tokens[..., None]], axis=2)
            flat = (parent + BEAM * np.arange(batch)[:, None]).reshape(-1)
            flat = ops.convert_to_tensor(flat.astype("int32"))
            state = keras.tree.map_structure(
                lambda leaf, flat=flat: ops.take(leaf, flat, axis=0), state
            )
        return total

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
