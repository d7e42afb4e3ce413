"""Judging a model on development pairs without translating them."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from regard.apps.translate.batches import BatchPlan
from regard.models.compiled import compiled


@dataclass(frozen=True)
class Verdict:
    """Cross-entropy per piece, and the share of pieces that would be chosen rightly,

    both with the true pieces before.
    """

    loss: float
    accuracy: float


class Validator:
    """Measures a model on a fixed set of batches; compiled once."""

    def __init__(self, model: Any, plan: BatchPlan):
        self.plan = plan
        self._measure = compiled(lambda *batch: _measure(model, *batch), model)

    def __call__(self) -> Verdict:
        totals = np.zeros(3)
        for batch in self.plan.fixed():
            ids = batch.source, batch.target_input, batch.target_output
            found = self._measure(*[ops.convert_to_tensor(each) for each in ids])
            totals += [float(ops.convert_to_numpy(each)) for each in found]
        loss, right, count = totals
        return Verdict(loss / count, right / count)


def _measure(model: Any, source: Any, target: Any, wanted: Any) -> tuple:
    logits = ops.cast(model((source, target), training=False), "float32")
    real = ops.cast(ops.not_equal(wanted, 0), "float32")
    chosen = ops.take_along_axis(logits, ops.expand_dims(wanted, -1), axis=-1)
    losses = ops.logsumexp(logits, axis=-1) - ops.squeeze(chosen, -1)
    right = ops.equal(ops.cast(ops.argmax(logits, axis=-1), wanted.dtype), wanted)
    right = ops.cast(right, "float32")
    return ops.sum(losses * real), ops.sum(right * real), ops.sum(real)


def averaging(model: Any) -> Any:
    """Return a callback whose `on_test_begin` and `on_test_end` swap the weights

    with their running averages and back.
    """
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    return swap
