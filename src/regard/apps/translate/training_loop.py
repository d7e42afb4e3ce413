"""The loop of training: a batch, and what happens every now and then."""

import math
import time
from collections.abc import Iterator
from typing import Any

from regard.apps.progress import progress_bar
from regard.apps.translate import checkpoints
from regard.apps.translate.batches import Batch, BatchPlan
from regard.apps.translate.config import TrainingSettings
from regard.apps.translate.interruption import Interruption
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.schedule import Budget, learning_rate
from regard.apps.translate.validation import Validator, averaging


class NotANumber(ValueError):
    """The loss is not finite; says where, and what to try."""


class TrainingLoop:
    """One stretch of training, from a checkpoint or the start to the budget's end.

    Args:
        folder: where metrics and checkpoints go.
        model: compiled, with an optimizer that keeps averages of the weights.
        plan: the batches of every epoch.
        check: batches of development pairs, or None.
        settings: the budget, the pace, and how often to check and to save.
    """

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
        self.best = checkpoints.best_accuracy(folder)
        self.step, self.seconds, self.loss, self.note = 0, 0.0, math.nan, ""

    def go(self, facts: dict[str, Any], started: float) -> bool:
        """Train from where `facts` say; False where Ctrl-C came before the end.

        Either way everything is saved then.
        """
        self.step, before = facts.get("step", 0), facts.get("seconds", 0.0)
        self._clock = lambda: before + time.monotonic() - started
        self.seconds = self._clock()
        with progress_bar("training") as tell, Interruption() as interruption:
            due = _Due(self.settings, self.seconds)
            for epoch, batch in self._batches():
                self._learn(epoch, batch)
                tell(self.share, f"epoch {epoch + 1}  loss {self.loss:.2f}{self.note}")
                if interruption.asked:
                    break
                if due.check(self.seconds):
                    self._check()
                if due.save(self.seconds):
                    checkpoints.save_last(self.folder, self.model)
            finished = self.share >= 1.0
            if finished:
                self._check()
            checkpoints.save_last(self.folder, self.model)
        return finished

    def _batches(self) -> Iterator[tuple[int, Batch]]:
        """Epoch after epoch, from the batch at hand on, while the budget lasts."""
        while True:
            epoch, start = divmod(self.step, self.plan.batches_per_epoch)
            for batch in self.plan.epoch(epoch, start):
                if self.share >= 1.0:
                    return
                yield epoch, batch

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
        self.seconds = self._clock()
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
            verdict = self.validator() if self.validator else None
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
        """Return what was done, in a line."""
        epochs = self.step / self.plan.batches_per_epoch
        return (
            f"{self.step:,} steps, {epochs:.1f} epochs, {self.seconds / 60:.1f} minutes"
            f"{self.note}"
        )


class _Due:
    """Says when checking and saving are due, counted in seconds of training."""

    def __init__(self, settings: TrainingSettings, seconds: float):
        self._every = settings.validate_every, settings.checkpoint_every
        self._last = [seconds, seconds]

    def check(self, seconds: float) -> bool:
        return self._is_due(0, seconds)

    def save(self, seconds: float) -> bool:
        return self._is_due(1, seconds)

    def _is_due(self, which: int, seconds: float) -> bool:
        due = seconds - self._last[which] >= self._every[which]
        if due:
            self._last[which] = seconds
        return due
