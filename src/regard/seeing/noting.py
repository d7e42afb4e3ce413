"""What one call of a captured layer took and gave, beside what it recorded."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from regard.layers.keras_internals import training_now
from regard.layers.traceable import inputs_of
from regard.seeing.reducing import LARGEST, Reduction
from regard.seeing.tracers import known, whose_code

Tensors = dict[str, Any]


class Noted:
    """One call while it runs.

    What it records waits for its end, so that its answer goes along. Not what is traced
    in a loop or another piece of code inside: that must leave from there, without.
    """

    def __init__(self, inputs: Tensors):
        self.inputs = inputs
        self.training = training_now()
        self.waiting: list[Tensors] = []
        self._code = whose_code()

    def may_wait(self, given: Any) -> bool:
        """Whether this can be handed over where the call ends."""
        return known(given) or whose_code() == self._code

    def given(self, reduction: Reduction, answer: Any) -> list[Tensors]:
        """What waits, with the answer where the call recorded once."""
        first = answer[0] if isinstance(answer, (tuple, list)) else answer
        alone = len(self.waiting) == 1 and self.waiting[0].get("output") is None
        if not (alone and hasattr(first, "shape") and self.may_wait(first)):
            return self.waiting
        if not _kept(first, self.waiting[0], reduction):
            return self.waiting
        return [{**self.waiting[0], "output": first}]


def _kept(answer: Any, tensors: Tensors, reduction: Reduction) -> bool:
    """Of calls kept whole, and no more numbers than their weights may be.

    An answer with a place for each word of a vocabulary may be larger than all else.
    """
    cut = reduction.rows is not None or reduction.heads is not None
    small = reduction.whole or np.prod(answer.shape) <= LARGEST
    return small and not cut and "outline" not in tensors


def noting(
    layer: Any,
    calls: dict[int, Noted],
    hand_over: Callable[[Noted, Any], None],
) -> Callable[..., Any]:
    """The layer's ``call``, noted among ``calls`` while it runs, handed over after."""
    call = layer.call

    @wraps(call)
    def noted(*args: Any, **kwargs: Any) -> Any:
        now = calls[id(layer)] = Noted(inputs_of(layer, args, kwargs))
        answer = None
        try:
            answer = call(*args, **kwargs)
        finally:
            calls.pop(id(layer), None)
            hand_over(now, answer)
        return answer

    return noted
