"""Encodings of places that are added to inputs."""

import numpy as np


def sinusoidal(weights, inputs, visible, half=False):
    """Vaswani et al. 2017, section 3.5; with `half` all sines stand first."""

    def row(place, width):
        angles = place * 10000.0 ** (-2 * np.arange(width // 2) / width)
        if half:
            return np.concatenate([np.sin(angles), np.cos(angles)])
        return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(width)

    return added(inputs, visible, row)


def learned(weights, inputs, visible):
    """Gehring et al. 2017, section 3.1."""
    return added(inputs, visible, lambda place, width: weights["embeddings"][place])


def registers(weights, inputs, visible):
    """Darcet et al. 2023: learned tokens after those of the input."""
    own = [weights["registers"]] * len(inputs)
    return np.concatenate([inputs * visible[..., None], own], axis=1), None


def added(inputs, visible, row):
    """Places count the real tokens; the others are zeros."""
    output = np.zeros_like(inputs)
    for b in range(len(inputs)):
        for place, t in enumerate(np.flatnonzero(visible[b])):
            output[b, t] = inputs[b, t] + row(place, inputs.shape[-1])
    return output, None
