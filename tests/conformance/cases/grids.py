"""Grids of target and source places."""

from functools import partial

from regard import layers
from tests.conformance.case import Case
from tests.conformance.kinds import DECODER, ROW_SHIFT
from tests.reference.pervasive import grid_reader, pervasive

GRID = {
    "arguments": ("inputs",),
    "memory": ("inputs",),
    "queries": None,
    "mask": "mask",
    "layout": lambda s: {"inputs": (s.batch, s.query, s.key, s.value_width)},
    "free": {"inputs": (1, 2)},
    "tags": frozenset({"weights", "lengths"}),
}
TRANSLATION = {
    "arguments": ("query", "value"),
    "memory": ("value",),
    "tags": DECODER - {"order_free", "direct"},
}


def grid(name, make, **options):
    still = {"score/bias": ROW_SHIFT} if options["reader"] == "attention" else {}
    reference = partial(grid_reader, **options)
    return Case(name, make, reference, still=still, **GRID)


def translation(name, **options):
    """A small pervasive attention and its reference."""
    chosen = {k: v for k, v in options.items() if k in ("kind", "reader")}
    return Case(
        name,
        partial(layers.PervasiveAttention, 3, **options),
        partial(reading_pairs, **chosen),
        still={"reading/score/bias": ROW_SHIFT},
        **TRANSLATION,
    )


def reading_pairs(weights, query, value, visible, **options):
    return pervasive(weights, query, value, visible, **options)


CASES = [
    grid("grid_max", layers.GridPooling, reader="max"),
    grid("grid_average", partial(layers.GridPooling, "average"), reader="average"),
    grid("grid_gated_max", layers.GatedGridPooling, reader="gated_max"),
    grid(
        "grid_max_prefixes",
        partial(layers.GridPooling, prefixes=True),
        reader="max",
        prefixes=True,
    ),
    grid("grid_attention", layers.GridAttention, reader="attention"),
    grid(
        "grid_attention_hidden",
        partial(layers.GridAttention, 5, "tanh"),
        reader="attention",
    ),
    grid(
        "grid_attention_prefixes",
        partial(layers.GridAttention, prefixes=True),
        reader="attention",
        prefixes=True,
    ),
    translation("pervasive"),
    translation("pervasive_residual", kind="residual", reader="gated_max", depth=1),
    translation("pervasive_attention", reader="attention", kernel_size=5, depth=1),
    translation("pervasive_average", reader="average", kind="residual", depth=1),
]
