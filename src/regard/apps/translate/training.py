"""Training a translator within a budget, which can stop and go on at any moment."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from regard.apps.translate import checkpoints
from regard.apps.translate.allocation import keep_freed_memory
from regard.apps.translate.batches import BatchPlan, Redraw
from regard.apps.translate.config import DataSettings, TrainingSettings
from regard.apps.translate.network import make_network
from regard.apps.translate.pairs import PairSet
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.apps.translate.training_loop import NotANumber, TrainingLoop
from regard.models import SmoothedCrossEntropy

__all__ = ["NotANumber", "prepare", "train"]


def train(
    folder: RunFolder,
    pairs: PairSet,
    watched: PairSet | None = None,
    say: Callable[[str], None] = print,
    resume: bool = False,
) -> bool:
    """Train the run in `folder` until its budget is used up or Ctrl-C is pressed.

    Args:
        folder: a run that was created, with its settings.
        pairs: what to learn from.
        watched: development pairs, to keep the best checkpoint.
        say: told what happens, in lines.
        resume: go on from the last checkpoint, in the same order of batches.

    Returns:
        True where the budget is used up, False where Ctrl-C stopped the run, which is
        saved then.

    Raises:
        NotANumber: where the loss becomes NaN or infinite.
    """
    started = time.monotonic()
    keep_freed_memory()
    settings = folder.config()
    keras.utils.set_random_seed(settings.training.seed)
    tokenizers = _tokenizers(folder, pairs, settings.data)
    seed = settings.training.seed
    redraw = _redraw(tokenizers, pairs, settings.data.bpe_dropout, seed)
    plan = _plan(tokenizers, pairs, settings.data, seed, redraw)
    found = checkpoints.load_last(folder) if resume else None
    if found is None:
        sizes = {
            "source_size": tokenizers[0].size,
            "target_size": tokenizers[1].size,
            "max_length": settings.data.max_length,
        }
        model = make_network(settings.model, **sizes)
        prepare(model, settings.training)
        facts: dict[str, Any] = {}
        if resume:
            say("nothing saved yet to resume: training starts from the beginning")
    else:
        model, facts = found
        redraw_dropout(model, settings.training.seed, facts.get("step", 0))
        say(f"resuming after step {facts.get('step', 0):,}")
    say(f"{model.count_params() / 1e6:.1f} million parameters, {_describe(plan)}")
    check = None
    if watched is not None:
        check = _plan(tokenizers, watched, settings.data, seed=0)
    loop = TrainingLoop(folder, model, plan, check, settings.training)
    finished = loop.go(facts, started)
    if finished:
        say(f"done: {loop.summary()}; saved in {folder.path}")
    else:
        say(f"stopped and saved: {loop.summary()}; go on with --resume")
    return finished


def redraw_dropout(model: Any, seed: int, step: int) -> None:
    """Go on with other dropout than the run began with; Keras saves no such state."""
    for number, layer in enumerate(model._flatten_layers()):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            start = (seed * 1_000_003 + number * 7_919 + step) % 2**31
            generator.state.assign(np.array([start, 0], "uint32"))


def prepare(model: Any, settings: TrainingSettings) -> None:
    """Give an untrained model its loss and its optimizer."""
    optimizer = keras.optimizers.Adam(
        settings.learning_rate,
        global_clipnorm=settings.clip_norm,
        use_ema=True,
        ema_momentum=settings.average,
    )
    model.compile(optimizer, SmoothedCrossEntropy(settings.label_smoothing))
    optimizer.build(model.trainable_variables)


def _tokenizers(
    folder: RunFolder, pairs: PairSet, settings: DataSettings
) -> tuple[SubwordTokenizer, SubwordTokenizer]:
    """Return those of the run, learnt from the training pairs the first time."""
    try:
        return folder.tokenizers()
    except ValueError:
        source = SubwordTokenizer.train(pairs.sources, settings.source_vocabulary)
        target = SubwordTokenizer.train(pairs.targets, settings.target_vocabulary)
        folder.save_tokenizers(source, target)
        return source, target


def _plan(
    tokenizers: tuple[SubwordTokenizer, SubwordTokenizer],
    pairs: PairSet,
    settings: DataSettings,
    seed: int,
    redraw: Redraw | None = None,
) -> BatchPlan:
    source, target = tokenizers
    return BatchPlan(
        source.encode(pairs.sources),
        target.encode(pairs.targets),
        tokens=settings.tokens_per_batch,
        buckets=settings.buckets,
        max_length=settings.max_length,
        seed=seed,
        redraw=redraw,
    )


def _redraw(
    tokenizers: tuple[SubwordTokenizer, SubwordTokenizer],
    pairs: PairSet,
    rate: float,
    seed: int,
) -> Redraw | None:
    """Return what cuts a pair into other pieces in each epoch, from the seed alone."""
    if not rate:
        return None

    def redraw(pair: int, epoch: int) -> tuple[list[int], list[int]]:
        random = np.random.default_rng((seed, epoch, pair))
        texts = pairs.pairs[pair].source, pairs.pairs[pair].target
        source, target = (
            tokenizer.encode_with_dropout([text], rate, random)[0]
            for tokenizer, text in zip(tokenizers, texts, strict=True)
        )
        return source, target

    return redraw


def _describe(plan: BatchPlan) -> str:
    left_out = f", {plan.too_long:,} pairs too long" if plan.too_long else ""
    return f"{plan.batches_per_epoch:,} batches an epoch{left_out}"
