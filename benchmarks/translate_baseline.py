"""A plain Keras translator to measure against: what one writes without this project.

Bidirectional GRU encoder, GRU decoder that starts from the encoder's states, Luong's
dot attention by ``keras.layers.Attention`` once after the recurrence, a softmax layer;
masked cross-entropy, Adam stepped down, greedy search. The pairs, their subwords and
batches are those of ``regard train translate``, so that only the models differ.

    python benchmarks/translate_baseline.py --train train.tsv --test test.multiref.tsv

prints the sizes, a line now and then, and at the end BLEU and chrF against all
references, as a line of JSON as well.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from regard.apps.special_ids import BOS, EOS, PAD
from regard.apps.translate.allocation import keep_freed_memory
from regard.apps.translate.batches import BatchPlan
from regard.apps.translate.evaluation import score
from regard.apps.translate.pairs import read_pairs
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.models import SmoothedCrossEntropy

LONGEST = 40  # pieces of a translation
ROWS = 128  # sources searched at once
RATES = ((0.5, 3e-3), (0.75, 1e-3), (1.0, 3e-4))  # until this share of the time


def make_models(source_size, target_size, width, dropout):
    """Return the model to train, and its two halves for search."""
    source = keras.Input((None,), dtype="int32")
    target = keras.Input((None,), dtype="int32")
    read = layers.Embedding(source_size, width, mask_zero=True)(source)
    encoder = layers.Bidirectional(
        layers.GRU(width // 2, return_sequences=True, return_state=True)
    )
    annotations, forward, backward = encoder(layers.Dropout(dropout)(read))
    start = layers.Concatenate()([forward, backward])

    memory = keras.Input((None, width))
    memory_mask = keras.Input((None,), dtype="bool")
    before = keras.Input((width,))
    words = layers.Embedding(target_size, width)(target)
    hidden = layers.GRU(width, return_sequences=True)(
        layers.Dropout(dropout)(words), initial_state=before
    )
    context = layers.Attention()([hidden, memory], mask=[None, memory_mask])
    found = layers.Dense(width, activation="tanh")(
        layers.Concatenate()([context, hidden])
    )
    logits = layers.Dense(target_size)(layers.Dropout(dropout)(found))

    decoder = keras.Model([target, memory, memory_mask, before], logits)
    reader = keras.Model(source, [annotations, start])
    mask = layers.Lambda(lambda ids: ops.not_equal(ids, PAD), output_shape=lambda s: s)
    whole = decoder([target, annotations, mask(source), start])
    return keras.Model([source, target], whole), reader, decoder


def train(model, plan, minutes, seed):
    """Train for some minutes; return steps and target pieces seen."""
    optimizer = keras.optimizers.Adam(RATES[0][1], global_clipnorm=1.0)
    model.compile(optimizer, SmoothedCrossEntropy())
    started, told, steps, pieces, epoch = time.monotonic(), 0.0, 0, 0, 0
    share = 0.0
    while share < 1.0:
        for batch in plan.epoch(epoch):
            share = (time.monotonic() - started) / (60 * minutes)
            if share >= 1.0:
                break
            optimizer.learning_rate.assign(next(r for end, r in RATES if share < end))
            model.reset_metrics()
            inputs = [batch.source, batch.target_input]
            loss = float(model.train_on_batch(inputs, batch.target_output))
            steps, pieces = steps + 1, pieces + int((batch.target_output != 0).sum())
            if share - told >= 0.05:
                told = share
                print(f"{100 * share:3.0f} %  epoch {epoch + 1}  loss {loss:.2f}")
        epoch += 1
    seconds = time.monotonic() - started
    print(f"{steps} steps, {steps / plan.batches_per_epoch:.1f} epochs, "
          f"{pieces / seconds:.0f} target pieces per second")  # fmt: skip


def greedy(reader, decoder, sources):
    """The likeliest next piece, over and over: ids for each of the sources."""
    order = sorted(range(len(sources)), key=lambda row: len(sources[row]))
    results = [None] * len(sources)
    for first in range(0, len(order), ROWS):
        rows = order[first : first + ROWS]
        longest = max(len(sources[row]) + 1 for row in rows)
        source = np.full((ROWS, -(-longest // 8) * 8), PAD, "int32")
        source[:, 0] = EOS
        for at, row in enumerate(rows):
            source[at, : len(sources[row]) + 1] = [*sources[row], EOS]
        annotations, start = reader.predict_on_batch(source)
        target = np.full((ROWS, LONGEST + 1), PAD, "int32")
        target[:, 0] = BOS
        for step in range(LONGEST):
            length = -(-(step + 1) // 8) * 8  # few lengths, because each is compiled
            inputs = [target[:, :length], annotations, source != PAD, start]
            logits = decoder.predict_on_batch(inputs)[:, step]
            logits[:, [PAD, BOS]] = -np.inf
            target[:, step + 1] = logits.argmax(axis=-1)
            if (target == EOS).any(axis=1).all():
                break
        for at, row in enumerate(rows):
            results[row] = target[at, 1:].tolist()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="pairs to learn from")
    parser.add_argument("--test", type=Path, required=True, help="with all references")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keep_freed_memory()
    keras.utils.set_random_seed(options.seed)
    pairs = read_pairs(options.train)
    tests = read_pairs(options.test, references=None)
    source = SubwordTokenizer.train(pairs.sources, options.vocabulary)
    target = SubwordTokenizer.train(pairs.targets, options.vocabulary)
    sides = source.encode(pairs.sources), target.encode(pairs.targets)
    plan = BatchPlan(*sides, tokens=1280, max_length=60, seed=options.seed)
    model, reader, decoder = make_models(
        source.size, target.size, options.width, options.dropout
    )
    size, backend = model.count_params() / 1e6, keras.backend.backend()
    print(f"{size:.1f} million parameters, {backend}, {plan.batches_per_epoch} batches")
    train(model, plan, options.minutes, options.seed)
    found = greedy(reader, decoder, source.encode(tests.sources))
    texts = [target.decode(ids) for ids in found]
    scores = score(texts, [pair.references for pair in tests.pairs])
    print(f"greedy: BLEU {scores.bleu:.2f}  chrF {scores.chrf:.2f}")
    print(json.dumps({"bleu": scores.bleu, "chrf": scores.chrf,
                      "signature": scores.bleu_signature}))  # fmt: skip


if __name__ == "__main__":
    main()
