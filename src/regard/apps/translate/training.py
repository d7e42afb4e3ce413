"""Training a translator within a budget, which can stop and go on at any moment."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from regard.apps.progress import progress_bar
from regard.apps.translate import checkpoints
from regard.apps.translate.allocation import keep_freed_memory
from regard.apps.translate.batches import Batch, BatchPlan
from regard.apps.translate.config import DataSettings, TrainingSettings
from regard.apps.translate.interruption import Interruption
from regard.apps.translate.network import make_network
from regard.apps.translate.pairs import PairSet
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.schedule import Budget, learning_rate
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.apps.translate.validation import Validator, averaging
from regard.models import SmoothedCrossEntropy


class NotANumber(ValueError):
    """The loss is not finite; says where, and what to try."""


def train(
    folder: RunFolder,
    pairs: PairSet,
    watched: PairSet | None = None,
    say: Callable[[str], None] = print,
    resume: bool = False,
) -> None:
    """Train the run in `folder` until its budget is used up or Ctrl-C is pressed.

    Args:
        folder: a run that was created, with its settings.
        pairs: what to learn from.
        watched: development pairs, to keep the best checkpoint.
        say: told what happens, in lines.
        resume: go on from the last checkpoint, in the same order of batches.

    Raises:
        NotANumber: where the loss becomes NaN or infinite.
    """
    started = time.monotonic()
    keep_freed_memory()
    settings = folder.config()
    keras.utils.set_random_seed(settings.training.seed)
    tokenizers = _tokenizers(folder, pairs, settings.data)
    plan = _plan(tokenizers, pairs, settings.data, settings.training.seed)
    found = checkpoints.load_last(folder) if resume else None
    if found is None:
        model = make_network(settings.model, *(side.size for side in tokenizers))
        prepare(model, settings.training)
        facts: dict[str, Any] = {}
    else:
        model, facts = found
        keras.utils.set_random_seed(settings.training.seed + facts.get("step", 0))
        say(f"resuming after step {facts.get('step', 0):,}")
    say(f"{model.count_params() / 1e6:.1f} million parameters, {_describe(plan)}")
    check = watched and _plan(tokenizers, watched, settings.data, 0)
    run = _Run(folder, model, plan, check or None, settings.training)
    run.go(facts, started)
    say(run.summary())


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


class _Run:
    """One stretch of training: the loop, and what happens every now and then."""

    def __init__(
        self,
        folder: RunFolder,
        model: Any,
        plan: BatchPlan,
        check: BatchPlan | None,
        settings: TrainingSettings,
    ):
        self.folder, self.model, self.plan, self.settings = (
            folder,
            model,
            plan,
            settings,
        )
        self.budget = Budget.of(settings, plan.batches_per_epoch)
        self.validator = check and Validator(model, check)
        self.average = averaging(model)
        self.step, self.seconds = 0, 0.0
        self.interrupted = False
        self.best = checkpoints.best_accuracy(folder)
        self.note = ""

    def go(self, facts: dict[str, Any], started: float) -> None:
        """Train from where `facts` say, until the budget is used up."""
        self.step, before = facts.get("step", 0), facts.get("seconds", 0.0)
        self.clock = lambda: before + time.monotonic() - started
        self.seconds = self.clock()
        due = _Due(
            save=self.settings.checkpoint_every, check=self.settings.validate_every
        )
        with progress_bar("training") as tell, Interruption() as interruption:
            while self.share < 1.0:
                epoch, start = divmod(self.step, self.plan.batches_per_epoch)
                for batch in self.plan.epoch(epoch, start):
                    self._learn(epoch, batch)
                    tell(
                        self.share,
                        f"epoch {epoch + 1}  loss {self.loss:.2f}{self.note}",
                    )
                    self.interrupted = interruption.asked
                    if self.share >= 1.0 or self.interrupted:
                        break
                    if due.now("check", self.seconds):
                        self._check()
                    if due.now("save", self.seconds):
                        checkpoints.save_last(self.folder, self.model)
                if self.interrupted:
                    break
            if not self.interrupted:
                self._check()
            checkpoints.save_last(self.folder, self.model)

    @property
    def share(self) -> float:
        """How much of the budget is used up."""
        return self.budget.share(self.seconds, self.step)

    def _learn(self, epoch: int, batch: Batch) -> None:
        rate = learning_rate(self.settings, self.share)
        self.model.optimizer.learning_rate.assign(rate)
        inputs = {"source": batch.source, "target": batch.target_input}
        self.model.reset_metrics()
        self.loss = float(self.model.train_on_batch(inputs, batch.target_output))
        if not math.isfinite(self.loss):
            raise NotANumber(self._complaint(epoch, batch, rate))
        self.step += 1
        self.seconds = self.clock()
        self.folder.log(
            step=self.step,
            epoch=epoch,
            seconds=round(self.seconds, 3),
            loss=round(self.loss, 5),
            rate=round(rate, 8),
            tokens=int((batch.target_output != 0).sum()),
        )

    def _check(self) -> None:
        """Judge the averaged weights and keep them where they are the best so far."""
        self.average.on_test_begin()
        try:
            verdict = self.validator and self.validator()
            if verdict is None or verdict.accuracy > self.best:
                checkpoints.save_best(self.folder, self.model)
        finally:
            self.average.on_test_end()
        if verdict is not None:
            self.best = max(self.best, verdict.accuracy)
            self.note = (
                f"  dev {verdict.loss:.3f}, {100 * verdict.accuracy:.1f} % right"
            )
            self.folder.log(
                step=self.step,
                dev_loss=round(verdict.loss, 5),
                dev_accuracy=round(verdict.accuracy, 5),
            )

    def _complaint(self, epoch: int, batch: Batch, rate: float) -> str:
        rows = [int(row) for row in batch.rows if row >= 0]
        return (
            f"the loss became {self.loss} at step {self.step + 1} (epoch {epoch + 1}, "
            f"learning rate {rate:.2g}, a batch of {len(rows)} pairs, the first being "
            f"number {rows[0] + 1}). The last checkpoint is from before. Try a smaller "
            "training.learning_rate or training.clip_norm, or a longer "
            "training.warmup, in a new run."
        )

    def summary(self) -> str:
        epochs = self.step / self.plan.batches_per_epoch
        ended = "stopped" if self.interrupted else "done"
        return (
            f"{ended} after {self.step:,} steps, {epochs:.1f} epochs, "
            f"{self.seconds / 60:.1f} minutes{self.note}; "
            f"{'go on with --resume' if self.interrupted else 'saved in'} "
            f"{'' if self.interrupted else self.folder.path}".rstrip()
        )


class _Due:
    """Says when something that happens every so many seconds is due."""

    def __init__(self, **every: float):
        self.every = every
        self.last = dict.fromkeys(every, 0.0)

    def now(self, name: str, seconds: float) -> bool:
        if seconds // self.every[name] == self.last[name] // self.every[name]:
            return False
        self.last[name] = seconds
        return True


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
) -> BatchPlan:
    source, target = tokenizers
    return BatchPlan(
        source.encode(pairs.sources),
        target.encode(pairs.targets),
        tokens=settings.tokens_per_batch,
        buckets=settings.buckets,
        max_length=settings.max_length,
        seed=seed,
    )


def _describe(plan: BatchPlan) -> str:
    left_out = f", {plan.too_long:,} pairs too long" if plan.too_long else ""
    return f"{plan.batches_per_epoch:,} batches an epoch{left_out}"
