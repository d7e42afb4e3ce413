"""Bottom-up and top-down attention: Anderson et al. 2018, section 3.2."""

import numpy as np

from tests.reference.additive import additive
from tests.reference.cells import lstm
from tests.reference.sets import part_of


def top_down(weights, inputs, value, visible):
    """LSTM_1 of [h2; mean; x] asks the regions, LSTM_2 of [context; h1] speaks."""
    first = part_of(weights, "attention_cell")
    second = part_of(weights, "language_cell")
    own = part_of(weights, "attention")
    batch, steps, _ = inputs.shape
    units = len(first["recurrent_kernel"])
    asking = [np.zeros((batch, units)) for _ in range(2)]
    saying = [np.zeros((batch, units)) for _ in range(2)]
    mean = np.zeros((batch, value.shape[-1]))
    for b in range(batch):
        seen = visible[b, 0]
        if seen.any():
            mean[b] = value[b, seen].mean(0)
    outputs, maps = [], []
    for t in range(steps):
        read = np.concatenate([saying[0], mean, inputs[:, t]], axis=-1)
        hidden, asking = lstm(first, read, asking)
        seen = visible[:, t : t + 1]
        context, attention = additive(own, hidden[:, None], value, value, seen)
        read = np.concatenate([context[:, 0], hidden], axis=-1)
        output, saying = lstm(second, read, saying)
        outputs.append(output)
        maps.append(attention[:, 0])
    return np.stack(outputs, 1), np.stack(maps, 1)
