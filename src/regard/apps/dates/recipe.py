"""How the dates are learnt: Bahdanau's model over characters, in about a minute."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from regard.apps.dates.characters import Characters
from regard.apps.dates.reader import ISO_CHARACTERS, DateReader
from regard.apps.dates.samples import Sample
from regard.apps.translate.batches import Batch, BatchPlan
from regard.layers import AdditiveAttention
from regard.layers.attention_decoder import AttentionDecoder
from regard.models.encoders import BidirectionalEncoder
from regard.models.losses import SmoothedCrossEntropy
from regard.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Recipe:
    """Sizes and pace; training ends after `epochs` or `seconds`, whichever is first."""

    width: int = 48
    units: int = 64
    epochs: int = 4
    seconds: float = 75.0
    learning_rate: float = 4e-3
    tokens: int = 2048
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0 and name != "seed":
                raise ValueError(f"{name} must be positive. Got {value}.")


@dataclass(frozen=True)
class Progress:
    """Where training stands, told after every batch; `exact` after every epoch.

    `characters`: how many of the dates' own were learnt so far, padding left out.
    """

    share: float
    epoch: int
    loss: float
    characters: int
    exact: float | None = None


def make_model(characters: Characters, recipe: Recipe) -> Seq2Seq:
    """Return the untrained model: bidirectional GRU, additive attention, GRU.

    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, section 3, over characters.
    """
    decoder = AttentionDecoder(
        AdditiveAttention(recipe.units), keras.layers.GRUCell(recipe.units)
    )
    return Seq2Seq(
        BidirectionalEncoder(recipe.units),
        decoder,
        source_size=characters.size,
        target_size=Characters(ISO_CHARACTERS).size,
        width=recipe.width,
    )


def train(
    samples: Mapping[str, Sequence[Sample]],
    recipe: Recipe,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> DateReader:
    """Train on `samples["train"]`, watch `samples["dev"]`, return the reader.

    The learning rate rises for a twentieth of the budget and then follows a cosine
    down. The budget is whichever of epochs and seconds is used up faster.
    """
    keras.utils.set_random_seed(recipe.seed)
    characters = Characters.of(sample.text for sample in samples["train"])
    reader = DateReader(make_model(characters, recipe), characters)
    plan = BatchPlan(
        characters.encode([sample.text for sample in samples["train"]]),
        reader.target.encode([sample.iso for sample in samples["train"]]),
        tokens=recipe.tokens,
        buckets=2,  # each shape is compiled, which takes longer than it saves
        seed=recipe.seed,
    )
    optimizer = keras.optimizers.Adam(recipe.learning_rate, global_clipnorm=1.0)
    reader.model.compile(optimizer=optimizer, loss=SmoothedCrossEntropy())
    started, steps, learnt = time.monotonic(), 0, 0
    for epoch in range(recipe.epochs):
        reader.model.reset_metrics()
        loss = math.nan
        for batch in plan.epoch(epoch):
            spent = (time.monotonic() - started) / recipe.seconds
            share = max(steps / (recipe.epochs * plan.batches_per_epoch), spent)
            if share >= 1.0:
                return reader
            optimizer.learning_rate.assign(recipe.learning_rate * pace(share))
            loss = _learn(reader.model, batch)
            steps += 1
            learnt += int((batch.target_output != 0).sum())
            tell(Progress(share, epoch, loss, learnt))
        exact = _exact(reader, samples["dev"])
        share = steps / (recipe.epochs * plan.batches_per_epoch)
        tell(Progress(share, epoch, loss, learnt, exact))
    return reader


def pace(share: float, warmup: float = 0.05, last: float = 0.02) -> float:
    """Return the factor of the learning rate when `share` of the budget is used."""
    if share < warmup:
        return (share + 0.1 * warmup) / (1.1 * warmup)
    down = (share - warmup) / (1.0 - warmup)
    return last + (1.0 - last) * (1.0 + math.cos(math.pi * min(down, 1.0))) / 2.0


def _learn(model: Any, batch: Batch) -> float:
    inputs = {"source": batch.source, "target": batch.target_input}
    return float(model.train_on_batch(inputs, batch.target_output))


def _exact(reader: DateReader, samples: Sequence[Sample]) -> float:
    texts, isos = zip(*[(sample.text, sample.iso) for sample in samples], strict=True)
    return reader.exact_match(texts, isos)
