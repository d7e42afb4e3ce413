"""What should have come out of layers with heads where a query may see no key."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import keep_of, top_left


def seen(case: Case) -> np.ndarray:
    """Which queries see a key at all, (B, T)."""
    arrays = case.arrays
    if "in.keep" in arrays:  # (B, 1, T, S)
        return arrays["in.keep"].any(axis=(1, 3))
    query = arrays["in.q"]
    value = arrays.get("in.kv", arrays.get("in.v", query))
    pairs = np.ones((len(query), query.shape[1], value.shape[1]), bool)
    if case.call.get("use_causal_mask"):
        pairs &= top_left(*pairs.shape[1:])
    given = arrays.get("in.attention_mask")
    if given is not None:
        given = given.astype(bool)
        pairs &= given.any(axis=1) if given.ndim == 4 else given
    pairs &= keep_of(arrays, "in.query_mask", pairs.shape[1])[:, :, None]
    for name in ("in.value_mask", "in.key_mask"):
        pairs &= keep_of(arrays, name, pairs.shape[2])[:, None]
    return pairs.any(axis=2)


def some_query_sees_nothing(case: Case) -> bool:
    return not bool(seen(case).all())


def outside_empty_rows(case: Case) -> Arrays:
    """Rows that see something are as published, the others zero before the output.

    Gradients are those of all rows together, so none are expected.
    """
    full = seen(case)
    names = ("w.o_proj.bias", "w.attention_output/bias")
    bias = next((case.arrays[n] for n in names if n in case.arrays), 0.0)
    expected = {}
    for name, array in case.of("out.").items():
        if name == "out.attention":
            expected[name] = np.where(full[:, None, :, None], array, 0.0)
        elif name.startswith("out.y"):
            expected[name] = np.where(full[..., None], array, bias)
        else:
            expected[name] = array
    return expected
