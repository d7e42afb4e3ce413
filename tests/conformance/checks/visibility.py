"""Masks the checks put on a subject: call options, and what the reference sees."""

import numpy as np

from tests.conformance.subject import rng_of


def key_mask(subject, inputs=None):
    """(B, S): the first example keeps all but its last two keys, the second all.

    Of an image (B, H, W): all but the last two rows.
    """
    memory = (inputs or subject.inputs)[subject.case.memory[0]]
    keep = np.ones(memory.shape[: 1 + subject.case.places], bool)
    keep[0, -2:] = False
    return keep


def hide_keys(subject):
    """Options that hide padding, and `visible` for the reference."""
    keep = key_mask(subject)
    visible = keep if subject.case.queries is None else keep[:, None, :]
    return {subject.case.mask: keep}, visible


def hide_pairs(subject):
    """Options that hide some pairs, the whole row (0, 1), and padding besides."""
    batch, queries = subject.inputs["query"].shape[:2]
    keep = key_mask(subject)
    shape = (batch, queries, keep.shape[1])
    pairs = rng_of(subject.case.name, "pairs").random(shape) > 0.3
    pairs[0, 1] = False
    pairs[:, :, 0] |= True
    pairs[0, 1, 0] = False
    options = {subject.case.mask: keep, "attention_mask": pairs}
    return options, pairs & keep[:, None, :]
