"""One example for each view of the page, and the same with nasty texts everywhere."""

import numpy as np

from regard.reports import (
    AttentionRecord,
    Example,
    Explanation,
    Removal,
    Timeline,
    Training,
)
from tests.reports.examples import NASTY, make_record

#: Number of the example, view.
VIEWS = [
    (0, "matrix"), (0, "arcs"), (0, "words"), (0, "numbers"), (1, "matrix"),
    (2, "matrix"), (3, "timeline"), (4, "timeline"), (5, "matrix"), (6, "arcs"),
    (6, "matrix"), (7, "sentences"), (8, "timeline"),
]  # fmt: skip


def gallery(words=None):
    """Translation, two models, training, series, sound, a long input, right to left,
    a text in sentences, the series once more.

    Where words are given they stand in every text, name and token.
    """
    names = list(words or ["one", "two", "three"])
    name = names[0]
    tokens = {"query_tokens": names[:3], "key_tokens": names}
    heads = [name, *map(str, range(2, 4))]

    def record(seed=0, **more):
        weights = np.random.default_rng(seed).dirichlet(
            np.full(len(names), 0.5), (3, 3)
        )
        given = {"layer": name, "heads": heads, "importance": [0.1, 0.2, 0.3]}
        given["shares"] = {name: weights[::-1]}
        return AttentionRecord(weights=weights, **tokens, **given, **more)

    classes = {name: 0.75, "other": 0.25}
    removal = Removal(
        order=range(len(names)), counts=[0, 1], probabilities=[[0.75, 0.25], [0.5, 0.5]]
    )
    whole = Example(
        source=" ".join(names),
        output=name,
        references=names,
        scores={name: 1.0},
        attention=[record(), record(1, masks={name: np.arange(len(names)) > 0})],
        gold=({(0, 0)}, {(1, 1)}),
        explanation=Explanation(
            probabilities=classes, compared={name: np.ones(len(names))}, removal=removal
        ),
        source_language=name if words else "en",
    )
    plain = {"source": name, "output": name}
    training = Training(
        steps=[0, 9], records=[[record(2)], [record(3)]], lines={name: [1.0, 2.0]}
    )
    keys = {"keys": len(names)}
    series = Timeline(**keys, channels={name: np.arange(len(names))}, origin=1)
    sound = Timeline(
        **keys, log_mel=np.arange(24.0).reshape(3, 8), seconds=0.5,
        audio=np.zeros(4000 * len(names)), rate=8000,
    )  # fmt: skip
    long = [name] + [f"t{at}" for at in range(99)]
    hebrew = make_record(["кот", "спит"], ["חתול", "ישן"], key_language="he")
    return [
        whole,
        Example(**plain, attention=record(), other=record(1)),
        Example(**plain, training=training),
        Example(**plain, attention=record(), timeline=series),
        Example(**plain, attention=record(), timeline=sound),
        Example(**plain, attention=make_record(long, long)),
        Example(source="חתול ישן", output="кот спит", attention=hebrew),
        Example(**plain, attention=record(sentences=[1, len(names) - 1])),
        Example(**plain, attention=record(4), timeline=series),
    ]


def nasty_gallery():
    return gallery(NASTY)
