"""Kinds of rows: which tags a mechanism of each kind has, and how a row is written."""

from regard import layers
from tests.conformance.case import Case, Sizes

# Tags: `memory` query, value and key; `masked` a mask hides keys; `hides` so that they
# cannot matter; `weights` can be asked for; they are a `distribution`, made by a
# `softmax`; the order of keys is free; `steps` for recurrent use; it has `dropout`; it
# is `traced` from scores to context; something `asks`, and what asks reaches the output
# in a `direct` way too; its `lengths` are free; it `points`, one number a key; it
# `caches` its own sequence.
GATE = frozenset({"hides", "weights", "lengths"})
DECODER = GATE | {"masked", "distribution", "order_free", "steps", "direct", "asks"}
POOLING = GATE | {"masked", "distribution", "order_free", "dropout", "traced"}
PLACED = POOLING - {"order_free"} | {"memory", "steps", "asks", "caches"}
MEMORY = PLACED | {"order_free"}
SOFT = {"softmax"}
# A sequence with a state of fixed size: steps, pieces and the whole.
RECURRENT = GATE | {"recurrent"}
# An option that changes the numbers and the weights but nothing of how masks, steps and
# arguments go: its mechanism, without it, has every check.
VARIANT = GATE

EQUAL = Sizes(key_width=4)  # where query and key must have one width
ROW_SHIFT = "the same for every key of a row, which softmax cancels"


def soft(name, make, reference, **more):
    """A mechanism over a memory, under softmax."""
    return Case(name, make, reference, **{"tags": MEMORY | SOFT, **more})


def decoder(attention, cell, *, dtype=None, query="previous_state", **options):
    """A decoder whose parts share its dtype policy."""
    return layers.AttentionDecoder(
        attention(name="attention", dtype=dtype),
        # Keras' default, orthogonal, needs a QR that torch lacks in float16.
        cell(3, name="cell", recurrent_initializer="glorot_uniform", dtype=dtype),
        query=query,
        dtype=dtype,
        **options,
    )


def recurrent(name, make, reference, **more):
    """A decoder over a memory."""
    options = {
        "arguments": ("inputs", "value"),
        "memory": ("value",),
        "queries": "inputs",
        "tags": DECODER,
    }
    return Case(name, make, reference, **{**options, **more})


def over_sequence(name, make, reference, **more):
    """Something that reads one sequence and asks no question."""
    options = {
        "arguments": ("inputs",),
        "memory": ("inputs",),
        "queries": None,
        "mask": "mask",
        "tags": POOLING,
    }
    return Case(name, make, reference, **{**options, **more})


def over_image(name, make, reference, **more):
    """Something that reads an image (batch, height, width, channels)."""
    options = {
        "layout": lambda s: {"inputs": (s.batch, s.query, s.key, s.value_width)},
        "free": {"inputs": (1, 2)},
        "places": 2,
        "tags": GATE,
    }
    return over_sequence(name, make, reference, **{**options, **more})
