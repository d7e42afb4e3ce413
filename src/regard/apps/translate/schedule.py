"""How far training has come, and how fast it learns there."""

from dataclasses import dataclass

from regard.apps.translate.config import TrainingSettings


@dataclass(frozen=True)
class Budget:
    """What may be used up: minutes of training, or batches.

    Raises:
        ValueError: neither or both are given.
    """

    minutes: float | None
    batches: int | None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.batches is None):
            raise ValueError(
                "training needs a budget, either minutes or epochs. "
                f"Got minutes={self.minutes} and batches={self.batches}."
            )

    @classmethod
    def of(cls, settings: TrainingSettings, batches_per_epoch: int) -> "Budget":
        epochs = settings.epochs
        return cls(settings.minutes, epochs and epochs * batches_per_epoch)

    def share(self, seconds: float, step: int) -> float:
        """Return how much is used up, 1 being all."""
        if self.minutes is not None:
            return seconds / (60 * self.minutes)
        assert self.batches is not None  # noqa: S101 - one of the two, see above
        return step / self.batches


def learning_rate(settings: TrainingSettings, share: float) -> float:
    """Return the rate at `share` of the budget: up in a line, then down in a line.

    Because it follows the budget, a short run and a long one both end at the small
    final rate, and a resumed run goes on where it was.
    """
    top, warmup = settings.learning_rate, settings.warmup
    if share < warmup:
        return top * max(share / warmup, 0.01)
    down = min(1.0, (share - warmup) / max(1.0 - warmup, 1e-9))
    return top * max(1.0 - down, settings.final_rate)
