"""Memories of slots."""

from functools import partial

import keras

from regard import layers
from tests.conformance.case import Case, Sizes
from tests.conformance.kinds import (
    EQUAL,
    GATE,
    MEMORY,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    over_sequence,
    soft,
)
from tests.reference.memory import (
    external,
    hopfield,
    key_value_memory,
    memorizing,
    memory_network,
)
from tests.reference.memory_cells import dnc, ntm

HOPS = MEMORY - {"dropout"} | {"direct"}  # dropout reaches the next hop
ASKS_AGAIN = {
    "values_are_mixed_and_do_not_choose": "what one hop reads, the next one asks with"
}
ONE_MEMORY = Sizes(key_width=7)
FLOAT32 = {"dtype_policies": "the cell computes and keeps its memory in float32"}


def outer(sizes):
    """A query, a memory near by, and keys and values of two heads far away."""
    entries = (sizes.batch, 2, sizes.key + 1)
    return {
        "query": (sizes.batch, sizes.query, sizes.query_width),
        "value": (sizes.batch, sizes.key, sizes.value_width),
        "memory_key": (*entries, 3),
        "memory_value": (*entries, 3),
    }


def machine(cell, *sizes, dtype=None, **options):
    """A loop around a cell that holds a memory."""
    controller = keras.layers.GRUCell(
        3, name="controller", recurrent_initializer="glorot_uniform"
    )
    loop = {n: options.pop(n) for n in ("name", "trainable") if n in options}
    made = cell(controller, 4, *sizes, name="cell", **options)
    return keras.layers.RNN(made, return_sequences=True, dtype=dtype, **loop)


def recurrent(name, make, reference):
    """A cell in a loop over sequences (B, S, Dv)."""
    return Case(
        name,
        make,
        reference,
        arguments=("sequences",),
        memory=("sequences",),
        queries=None,
        layout=lambda s: {"sequences": (s.batch, s.key, s.value_width)},
        tags=frozenset({"lengths"}),
        xfail=FLOAT32,
    )


CASES = [
    soft(
        "memory_network",
        partial(layers.MemoryNetwork, 6, 3),
        partial(memory_network, hops=3, tying="adjacent"),
        sizes=ONE_MEMORY,
        tags=HOPS,
        xfail=ASKS_AGAIN,
    ),
    soft(
        "memory_network_layer_wise",
        partial(layers.MemoryNetwork, 6, 2, tying="layer_wise", maximum_length=9),
        partial(memory_network, hops=2, tying="layer_wise"),
        tags=VARIANT,
    ),
    soft(
        "memory_network_untied",
        partial(layers.MemoryNetwork, 6, 2, tying=None),
        partial(memory_network, hops=2, tying=None),
        tags=VARIANT,
    ),
    soft(
        "key_value_memory",
        partial(layers.KeyValueMemory, 6),
        partial(key_value_memory, hops=2),
        tags=HOPS,
        xfail=ASKS_AGAIN,
    ),
    soft(
        "key_value_memory_shared",
        partial(layers.KeyValueMemory, 6, 1, shared=True),
        partial(key_value_memory, hops=1),
        sizes=Sizes(query_width=5, key_width=5, value_width=5),
        tags=VARIANT | {"dropout"},
    ),
    soft(
        "hopfield",
        partial(layers.HopfieldAttention, 3, 2, updates=2),
        partial(hopfield, updates=2),
        tags=MEMORY,
    ),
    soft(
        "hopfield_plain",
        partial(layers.HopfieldAttention, learn_beta=True),
        partial(hopfield, updates=1),
        sizes=EQUAL,
        tags=MEMORY | SOFT,
        xfail={
            "kernel_options_reach_every_kernel": "without units there is no kernel",
            "the_kernel_initializer_is_used": "without units there is no kernel",
        },
    ),
    over_sequence(
        "external",
        partial(layers.ExternalAttention, 4),
        external,
        tags=GATE,
    ),
    Case(
        "memorizing",
        partial(layers.MemorizingAttention, 2, 3, neighbours=3),
        partial(memorizing, neighbours=3),
        arguments=("query", "value", "memory_key", "memory_value"),
        memory=("value",),
        layout=outer,
        free={"memory_key": (2,), "memory_value": (2,)},
        tags=VARIANT,
        still={"key/bias": ROW_SHIFT},
        constant=("memory_key", "memory_value"),
    ),
    recurrent(
        "ntm",
        partial(machine, layers.NTMCell, 5, 3, 2, 2),
        partial(ntm, sizes=(5, 3, 2, 2, 1), cell="gru"),
    ),
    recurrent(
        "dnc",
        partial(machine, layers.DNCCell, 5, 3, 2),
        partial(dnc, sizes=(5, 3, 2), cell="gru"),
    ),
]
