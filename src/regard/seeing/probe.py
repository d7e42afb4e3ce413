"""Keep what a model attends to while it trains."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from regard.seeing.capture import attend_to
from regard.seeing.event_files import EventFile
from regard.seeing.head_numbers import calls_by_name, numbers_of_heads
from regard.seeing.pace import next_step, thinned
from regard.seeing.snapshots import (
    Snapshot,
    read_snapshots,
    shared_masks,
    write_snapshots,
)
from regard.seeing.undisturbed import undisturbed


class AttentionProbe(keras.callbacks.Callback):
    """Keeps the weights of a fixed batch, the probe, at log-spaced steps of a training.

        probe = regard.AttentionProbe(x[:4])
        model.fit(x, y, callbacks=[probe])
        probe.snapshots[-1]        # (step, {layer: weights (B, H, T, S)})
        probe.masks[-1]            # {layer: {cause: mask}}
        probe.lines["loss"]        # one number for each of the steps

    The first snapshot is taken before the first step and the last after the last one.
    Where ``fit`` does not know how many steps there will be, snapshots are taken at
    powers of 1.2 and thinned, so that what stays is log-spaced. Training goes as it
    would without: the probe is run in inference, outside the compiled step, and random
    states are put back. A later ``fit`` with the same probe goes on counting.

    Args:
        inputs: of one call of the model, a few examples.
        layers: as in ``regard.capture``.
        rows: as in ``regard.capture``.
        heads: as in ``regard.capture``.
        snapshots: how many stay at most, 2 or more.
        log_dir: a folder for TensorBoard, where the lines and the maps of every example
            are written too, heads side by side; it needs the package ``tensorboard``.

    Raises:
        ValueError: where snapshots is below 2; as training begins, where the model has
            no such layer or the weights of the probe are too many to keep.
        ImportError: for ``log_dir`` without ``tensorboard``.
    """

    def __init__(
        self, inputs, layers=None, rows=None, heads=None, snapshots=24, log_dir=None
    ):
        super().__init__()
        if snapshots < 2:
            raise ValueError(f"snapshots must be 2 or more. Got {snapshots}.")
        self.inputs = inputs
        self._chosen = {"layers": layers, "rows": rows, "heads": heads}
        self._limit = snapshots
        self._kept: list[Snapshot] = []
        self._step = self._before = self._due = 0
        self._last: int | None = None
        self._logs: dict[str, float] = {}
        self._events = None if log_dir is None else EventFile(log_dir)

    # What was kept -------------------------------------------------------------------

    @property
    def snapshots(self) -> list[tuple[int, dict[str, np.ndarray]]]:
        """Steps and weights (B, H, T, S) by layer, from the first step to the last.

        A layer that is called several times has ``#2`` and so on for later calls.
        """
        return [(each.step, each.weights) for each in self._kept]

    @property
    def masks(self) -> list[dict[str, dict[str, np.ndarray]]]:
        """What hid pairs at each snapshot: layer -> cause -> mask, as in a trace.

        Snapshots between which a mask did not change share it.
        """
        return [each.masks for each in self._kept]

    @property
    def lines(self) -> dict[str, np.ndarray]:
        """What changed, by name: one number for each snapshot, NaN where unknown.

        What ``fit`` logs (``loss`` is its mean since the epoch began), and for each
        head ``entropy/LAYER/HEAD`` (normalized, 0 to 1), ``effective positions/...``
        and ``off-diagonality/...``: means over the rows of all examples that see two
        keys at least. Off-diagonality is left out where only some rows are kept.
        """
        names = dict.fromkeys(name for each in self._kept for name in each.numbers)
        return {
            name: np.array([each.numbers.get(name, np.nan) for each in self._kept])
            for name in names
        }

    def save(self, path: str | Path) -> Path:
        """Write snapshots and lines into one ``.npz`` file; ``load`` reads it."""
        return write_snapshots(path, self._kept, self.lines)

    @classmethod
    def load(cls, path: str | Path) -> AttentionProbe:
        """A probe with what ``save`` wrote, to look at; it holds no inputs.

        Raises:
            ValueError: where the file holds something else.
        """
        probe = cls(None)
        probe._kept = read_snapshots(path)
        return probe

    # Training ------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        if self.inputs is None:
            raise ValueError("inputs must be a batch to train with a probe. Got None.")
        self._before, self._last = self._step, None
        if self._events is not None:
            self._events.open()
        if not self._kept:
            self._look()
        elif self._limit - len(self._kept) < self._limit // 2:
            self._kept = thinned(self._kept, self._limit - self._limit // 2)

    def on_epoch_begin(self, epoch, logs=None):
        steps, epochs = self.params.get("steps"), self.params.get("epochs")
        if self._last is None and steps and epochs:
            self._last = self._step + (epochs - epoch) * steps
        if self._step == self._before:
            self._plan()
        self._before = self._step

    def on_train_batch_end(self, batch, logs=None):
        self._step = self._before + batch + 1
        self._logs = logs or {}
        if self._step >= self._due:
            self._look()
            self._plan()

    def on_train_end(self, logs=None):
        if self._kept[-1].step < self._step:
            self._look()
        if self._events is not None:
            self._events.close()

    def _plan(self):
        left = max(1, self._limit - len(self._kept))
        self._due = next_step(self._step, left, self._last)

    def _look(self):
        """Keep and write down what the model attends to now."""
        with undisturbed(self.model):
            maps = attend_to(self.model, self.inputs, **self._chosen)
        traces = dict(calls_by_name(maps))
        weights = {name: np.asarray(trace.weights) for name, trace in traces.items()}
        numbers = {name: float(value) for name, value in self._logs.items()}
        for name, trace in traces.items():
            numbers |= numbers_of_heads(name, trace)
        masks = shared_masks(self._kept[-1:], traces)
        self._kept.append(Snapshot(self._step, weights, numbers, masks))
        self._kept = thinned(self._kept, self._limit)
        if self._events is not None:
            self._events.write(self._step, numbers, weights)
