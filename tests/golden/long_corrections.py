"""Corrected expectations for attention of models for long inputs."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import differentiated


def long_t5_local(case: Case) -> Arrays:
    """Padded queries read nothing; there they read the mean of three blocks.

    They also pull at what is compared, so those gradients are left out.
    """
    size = case.constructor["local_radius"] + 1
    keep = case.arrays["in.attention_mask"].astype(bool)
    length = keep.shape[1]
    blocks = np.arange(length) // size
    # Places before the first and after the last token count, as zeros.
    near = np.abs(blocks[:, None] - blocks) <= 1
    average = (near / (3 * size))[None] * ~keep[:, :, None]

    def formula(a):
        read = average @ (a["in.hidden_states"] @ a["w.v.weight"].T)
        return {"out.y": read @ a["w.o.weight"].T}

    too_much = differentiated(case, formula)
    return {
        name: array - too_much.get(name, 0.0)
        for name, array in case.expected.items()
        if name.startswith(("out.", "grad.w.v", "grad.w.o"))
    }


def padded(case: Case) -> bool:
    """Some token is padding."""
    keep = case.arrays.get("in.attention_mask")
    return keep is not None and not bool(keep.astype(bool).all())
