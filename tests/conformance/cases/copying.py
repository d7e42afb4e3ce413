"""Pointing and copying."""

from functools import partial

from regard import Window, layers
from tests.conformance.case import Case
from tests.conformance.kinds import GATE, POOLING
from tests.reference.copying import (
    copy_net,
    pointer,
    pointer_generator,
    pointer_sentinel,
)

COPYING = GATE | {"masked", "direct", "asks"}
WORDS = {"ids": 11}  # nine of the vocabulary and two beyond it


def reading(sizes):
    """A query, a memory, and the word at each of its places."""
    return {
        "query": (sizes.batch, sizes.query, sizes.query_width),
        "value": (sizes.batch, sizes.key, sizes.value_width),
        "ids": (sizes.batch, sizes.key),
    }


def weighing(sizes):
    """A query, the weights of some attention, and the word at each place."""
    weights = (sizes.batch, sizes.query, sizes.key)
    inputs = reading(sizes)
    return {
        "query": inputs["query"],
        "attention_weights": weights,
        "ids": inputs["ids"],
    }


def pointing(sizes):
    """A query, a memory, and what was taken at each step."""
    inputs = reading(sizes)
    targets = (sizes.batch, sizes.query)
    return {"query": inputs["query"], "value": inputs["value"], "targets": targets}


def copying(name, make, reference, **more):
    """Something that writes words, and copies them."""
    options = {
        "arguments": ("query", "value", "ids"),
        "memory": ("value", "ids"),
        "layout": reading,
        "whole": WORDS,
        "tags": COPYING,
    }
    return Case(name, make, reference, **{**options, **more})


CASES = [
    Case(
        "pointer",
        partial(layers.PointerAttention, 8),
        pointer,
        arguments=("query", "value"),
        memory=("value",),
        tags=POOLING - {"order_free", "traced", "dropout"} | {"asks", "points"},
    ),
    Case(
        "pointer_targets",
        partial(layers.PointerAttention, 8),
        pointer,
        arguments=("query", "value", "targets"),
        memory=("value",),
        layout=pointing,
        whole={"targets": 2},
        tags=GATE | {"points"},
    ),
    copying(
        "copy_net",
        partial(layers.CopyNet, 9, extra_size=2),
        partial(copy_net, extra=2),
        tags=COPYING | {"order_free"},
    ),
    copying(
        "pointer_sentinel",
        partial(layers.PointerSentinel, 9, extra_size=2),
        partial(pointer_sentinel, extra=2),
        tags=COPYING | {"order_free"},
    ),
    copying(
        "pointer_sentinel_window",
        partial(layers.PointerSentinel, 11, scope=Window(2), use_bias=False),
        partial(pointer_sentinel, extra=0),
        sees=lambda query, key: query - 2 <= key <= query,
        tags=GATE,
    ),
    Case(
        "pointer_generator",
        partial(layers.PointerGenerator, 9, extra_size=2),
        partial(pointer_generator, extra=2),
        arguments=("query", "attention_weights", "ids"),
        memory=("ids",),
        layout=weighing,
        free={"attention_weights": (1, 2)},
        whole=WORDS,
        tags=frozenset({"lengths"}),
    ),
]
