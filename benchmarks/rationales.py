"""Attention of a sentiment classifier, against what people marked as the reason.

    REGARD_SHARED=... KERAS_BACKEND=torch python -m benchmarks.rationales

trains a bidirectional GRU with attention pooling on the tweets of `tweet-rationales`,
two more from other seeds and one that pools uniformly. Then it prints, as Markdown: how
near attention, gradients and chance come to the phrases that annotators selected (token
F1, AUPRC, IOU F1, as ERASER counts them), whether the classifier needs the tokens
(AOPC), and the four questions of `regard.diagnose`.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import re
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
from keras import layers

import regard
from regard import metrics

CLASSES = ("negative", "neutral", "positive")
SEEDS = (1, 2, 3)
DRAWS = 20
UNKNOWN = 1  # 0 is padding


def read(path: Path) -> list[dict]:
    """Rows with `tokens`, `label` and `marked`, one mark for each token."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        {
            "tokens": [normalized(token) for token in row["text"].split()],
            "label": CLASSES.index(row["sentiment"]),
            "marked": [mark == "1" for mark in row["token_mask"]],
        }
        for row in rows
    ]


def normalized(token: str) -> str:
    """Lower case, no letter more than twice in a row, no marks around a word."""
    token = re.sub(r"(.)\1{2,}", r"\1\1", token.lower())
    return re.sub(r"^\W+(?=\w)|(?<=\w)\W+$", "", token)


def numbers(rows: list[dict], vocabulary: dict[str, int], length: int):
    """Token numbers, labels, and the tokens that were marked."""
    ids = np.zeros((len(rows), length), "int32")
    marked = np.zeros((len(rows), length), bool)
    for place, row in enumerate(rows):
        found = [vocabulary.get(token, UNKNOWN) for token in row["tokens"]][:length]
        ids[place, : len(found)] = found
        marked[place, : len(found)] = row["marked"][: len(found)]
    return ids, np.array([row["label"] for row in rows]), marked


def make_model(vocabulary: int, seed: int, uniform: bool = False) -> keras.Model:
    """Embedding, bidirectional GRU, pooling, classes."""
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(vocabulary, 64, mask_zero=True)(tokens)
    x = layers.Dropout(0.4)(x)
    x = layers.Bidirectional(layers.GRU(32, return_sequences=True))(x)
    if uniform:
        x = layers.GlobalAveragePooling1D()(x)
    else:
        x = regard.layers.AttentionPooling(activation=None, name="pooling")(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(tokens, layers.Dense(len(CLASSES), activation="softmax")(x))


def train(model: keras.Model, data, dev, epochs: int) -> keras.Model:
    """Adam, the weights of the epoch that is best on the held-out tweets."""
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    best = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True)
    best.patience = epochs
    model.fit(
        *data, batch_size=256, epochs=epochs, validation_data=dev, verbose=0,
        callbacks=[best],
    )  # fmt: skip
    return model


def overlap(scores: np.ndarray, valid: np.ndarray, marked: np.ndarray, share: float):
    """Token F1 and AUPRC of each example, IOU F1 of all."""
    chosen = metrics.top_tokens(scores, valid, share)
    areas = metrics.average_precision_area(scores, marked, valid)
    return metrics.token_f1(chosen, marked), areas, metrics.iou_f1(chosen, marked)


def compare(model: keras.Model, ids: np.ndarray, marked: np.ndarray, share: float):
    """A line of Markdown for each explanation."""
    classifier, valid = metrics.Classifier(model), ids > 0
    with regard.capture(model, "pooling") as maps:
        model(ids, training=False)
    attention = metrics.received(maps["pooling"][0])
    slopes = metrics.gradient_times_attention(classifier, ids, "pooling")
    explanations = {
        "attention": attention,
        "attention × its gradient": slopes.sum(axis=(1, 2)),
        "gradient × input": metrics.gradient_times_input(classifier, ids),
    }
    hide = metrics.hidden("pooling")
    for name, scores in explanations.items():
        asked = (classifier, ids, scores, valid, hide)
        drops = metrics.comprehensiveness(*asked), metrics.sufficiency(*asked)
        areas = [each.area for each in drops]
        yield name, [*overlap(scores, valid, marked, share), *areas]
    rng = np.random.default_rng(0)
    draws = [overlap(rng.random(ids.shape), valid, marked, share) for _ in range(DRAWS)]
    asked = (classifier, ids, valid, hide, DRAWS)
    yield (
        f"random, mean of {DRAWS}",
        [
            *(np.mean([draw[place] for draw in draws], axis=0) for place in range(3)),
            metrics.over_random(metrics.comprehensiveness, *asked),
            metrics.over_random(metrics.sufficiency, *asked),
        ],
    )


def version_of_backend() -> str:
    """The backend and the package it is."""
    name = keras.backend.backend()
    return f"{name} {import_module(name).__version__}"


def cell(value) -> str:
    """A mean with its interval, or a number that is of all examples."""
    if np.ndim(value) == 0:
        return f"{value:.3f}"
    found = metrics.bootstrap(value)
    return f"{found.mean:.3f} [{found.low:.3f}; {found.high:.3f}]"


def main() -> None:
    shared = os.environ.get("REGARD_SHARED")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--language", choices=("en", "ru"), default="en")
    options = parser.parse_args()
    if not shared:
        sys.exit("Set REGARD_SHARED to the folder with data/tweet-rationales.")
    folder, start = Path(shared, "data", "tweet-rationales"), time.monotonic()
    rows = {name: read(folder / f"{name}.tsv") for name in ("train", "dev", "test")}
    counts = Counter(token for row in rows["train"] for token in row["tokens"])
    words = [token for token, count in counts.most_common() if count > 1]
    vocabulary = {token: place for place, token in enumerate(words, UNKNOWN + 1)}
    length = max(len(row["tokens"]) for row in rows["train"])
    data, dev, test = (numbers(each, vocabulary, length) for each in rows.values())
    size = len(words) + 2
    models = [
        train(make_model(size, seed), data[:2], dev[:2], options.epochs)
        for seed in SEEDS
    ]
    uniform = make_model(size, SEEDS[0], uniform=True)
    train(uniform, data[:2], dev[:2], options.epochs)
    trained = time.monotonic() - start

    with_reason = data[1] != 1  # annotators mark neutral tweets nearly whole
    share = (data[2].sum(1) / (data[0] > 0).sum(1))[with_reason].mean()
    kept = test[1] != 1
    ids, labels, marked = (each[kept] for each in test)
    for name, model in (("attention", models[0]), ("uniform", uniform)):
        right = metrics.accuracy(metrics.Classifier(model).predict(test[0]), test[1])
        print(
            f"Accuracy, {name} pooling, three classes: {cell(right)}, n = {len(right)}"
        )
    print(f"Share of tokens marked in training, which every ranking gets: {share:.3f}")
    print(f"\nPositive and negative tweets of the test set, n = {len(ids)}:\n")
    titles = "token F1 | AUPRC | IOU F1 | AOPC comprehensiveness ↑ | AOPC sufficiency ↓"
    print(f"| tokens ranked by | {titles} |\n|{'---|' * 6}")
    for name, values in compare(models[0], ids, marked, share):
        print(f"| {name} | {' | '.join(map(cell, values))} |")
    found = regard.diagnose(
        models[0], ids, labels, language=options.language, seeds=models[1:],
        uniform=uniform,
    )  # fmt: skip
    print(f"\n```\n{found}\n```\n")
    print(
        f"Trained in {trained:.0f} s, all in {time.monotonic() - start:.0f} s; "
        f"Python {platform.python_version()}, regard {regard.__version__}, "
        f"keras {keras.__version__}, {version_of_backend()}, numpy {np.__version__}."
    )


if __name__ == "__main__":
    main()
