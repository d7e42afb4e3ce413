"""A block in which a model runs and its random states stay as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras import ops


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Put back the states that are no weights, such as seeds, when the block ends."""
    weights = {id(each) for each in model.weights}
    states = [each for each in model.variables if id(each) not in weights]
    before = [ops.convert_to_numpy(each) for each in states]
    yield
    for state, value in zip(states, before, strict=True):
        if not np.array_equal(ops.convert_to_numpy(state), value):
            state.assign(value)
