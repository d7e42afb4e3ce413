"""Rows of which nobody can say what a layer of Keras read."""

import warnings
from collections.abc import Sequence

import numpy as np

from regard.trace import Trace

_MOST = 10  # numbers named


def unconfirmed_rows(trace: Trace) -> dict[int, list[int]]:
    """Example -> numbers of its rows whose weights the answer does not confirm."""
    table = trace.extra.get("unconfirmed")
    if table is None or not np.any(table):
        return {}
    numbers = trace.extra.get("rows", np.arange(table.shape[-1]))
    rows: np.ndarray = np.any(table, axis=1)  # of any head: (B, T)
    return {
        example: [int(each) for each in np.asarray(numbers)[row]]
        for example, row in enumerate(rows)
        if row.any()
    }


def warn_of_unconfirmed(name: str, trace: Trace) -> None:
    """One warning for a call, with the layer and the rows."""
    found = unconfirmed_rows(trace)
    if found:
        said = "; ".join(
            f"example {example}, rows {listed(rows)}"
            for example, rows in [*found.items()][:_MOST]
        )
        more = "; and other examples" if len(found) > _MOST else ""
        warnings.warn(
            f"{name}: the weights shown of some rows are not those that the layer read "
            f"with, or it cannot be told: {said}{more}. Its answer, by a fused path "
            "that keeps its weights to itself, does not confirm them.",
            stacklevel=2,
        )


def listed(numbers: Sequence[int]) -> str:
    """The first of them, and a dash for what follows."""
    more = ", …" if len(numbers) > _MOST else ""
    return ", ".join(map(str, numbers[:_MOST])) + more
