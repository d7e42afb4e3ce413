"""Functions of mechanisms that read series."""

from typing import Any

import numpy as np

from regard.seeing.steps.keras_cells import WEIGHTS, keras_step

Array = Any


def fitted(memory: Array, length: int) -> Array:
    """(S, D) cut to the length, or filled with zeros."""
    missing = max(0, length - len(memory))
    return np.pad(memory, ((0, missing), (0, 0)))[:length]


def correlated(query: Array, key: Array) -> Array:
    """(T, D) twice -> (T,): how alike they are with the key moved on by each delay."""
    delays = range(len(query))
    return np.array([np.sum(query * np.roll(key, n, axis=0)) for n in delays])


def strongest(strength: Array, chosen: Array) -> Array:
    """As many delays as were chosen, the strongest first; of equals the chosen ones.

    Nothing tells equals apart, as of a series that is hidden: backends differ there.
    """
    rank = np.full(len(strength), len(chosen))
    rank[chosen] = np.arange(len(chosen))
    return np.lexsort((rank, -strength))[: len(chosen)]


def lstm(
    read: Array, state: Array, kernel: Array, recurrent_kernel: Array, bias: Array
) -> Array:
    """[h; c] after one step from [h; c] before it; gates as Keras orders them."""
    config = {"kind": "LSTMCell", "units": len(state) // 2}
    found = dict(zip(WEIGHTS, (kernel, recurrent_kernel, bias), strict=True))
    return keras_step(config, found, read, state)[1]


def in_pairs(frames: Array) -> Array:
    """(S, D) -> (S / 2, 2 D): two neighbours side by side, the last with zeros."""
    frames = np.pad(frames, ((0, len(frames) % 2), (0, 0)))
    return frames.reshape(len(frames) // 2, -1)


def pairs_real(real: Array, times: int = 1) -> Array:
    """Which pairs hold anything real, after so many halvings."""
    for _ in range(times):
        real = np.pad(real, (0, len(real) % 2)).reshape(-1, 2).any(-1)
    return real


def one_way(
    frames: Array, real: Array, weights: Any, level: int, backward: bool
) -> Array:
    """(S, D) -> (S, units): an LSTM over frames, which passes over what is not real."""
    path = f"level_{level}_{'backward' if backward else 'forward'}_lstm_lstm_cell"
    found = [weights.get(f"{path}_{name}") for name in WEIGHTS]
    units = len(found[1])
    state, outputs = np.zeros(2 * units), np.zeros((len(frames), units))
    order = range(len(frames))
    for n in reversed(order) if backward else order:
        if real[n]:
            state = lstm(frames[n], state, *found)
            outputs[n] = state[:units]
    return outputs


def pyramid(frames: Array, real: Array, weights: Any, levels: int) -> Array:
    """What so many levels make of frames: half as many at each."""
    frames = np.where(real[:, None], frames, 0.0)
    for level in range(levels):
        frames, real = in_pairs(frames), pairs_real(real)
        ways = [one_way(frames, real, weights, level, back) for back in (False, True)]
        frames = np.concatenate(ways, axis=-1)
    return frames


# Name -> how it is computed, how written in a formula, whether by whole rows.
SERIES: dict[str, tuple[Any, ...]] = {
    "fitted": (fitted, "{0}"),
    "correlated": (correlated, r"\sum_t {0}_t \cdot {1}_{{t - \delta}}", True),
    "strongest": (strongest,),
    "lstm": (lstm, r"\mathrm{{LSTM}}({0}, {1})"),
    "in_pairs": (in_pairs,),
    "pairs_real": (pairs_real,),
    "one_way": (one_way,),
    "pyramid": (pyramid,),
}
