"""What should have come out of layers with heads where a query may see no key."""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case
from tests.golden.corrections import ACTIVATIONS, keep_of, top_left


def seen(case: Case) -> np.ndarray:
    """Which queries see a key at all, (B, T)."""
    arrays = case.arrays
    if "in.keep" in arrays:  # (B, 1, T, S)
        return arrays["in.keep"].any(axis=(1, 3))
    if "in.x" in arrays:
        return x_transformers_rows(case)
    query = arrays["in.q"]
    value = arrays.get("in.kv", arrays.get("in.v", arrays.get("in.k", query)))
    pairs = np.ones((len(query), query.shape[1], value.shape[1]), bool)
    if case.call.get("use_causal_mask") or case.constructor.get("history_only"):
        pairs &= top_left(*pairs.shape[1:])
    given = arrays.get("in.attention_mask")
    if given is not None:
        given = given.astype(bool)
        pairs &= given.any(axis=1) if given.ndim == 4 else given
    pairs &= keep_of(arrays, "in.query_mask", pairs.shape[1])[:, :, None]
    for name in ("in.value_mask", "in.key_mask"):
        pairs &= keep_of(arrays, name, pairs.shape[2])[:, None]
    return pairs.any(axis=2)


def x_transformers_rows(case: Case) -> np.ndarray:
    """The same for x-transformers; keys of the layer's own are always there."""
    arrays, options = case.arrays, case.constructor
    query = arrays["in.x"]
    key = arrays.get("in.context", query)
    keep = arrays.get("in.context_mask", arrays.get("in.mask"))
    if keep is None or ("in.context" in arrays and "in.context_mask" not in arrays):
        keep = np.ones(key.shape[:2], bool)
    pairs = np.tril(
        np.ones((query.shape[1], key.shape[1]), bool), key.shape[1] - query.shape[1]
    )
    if not options.get("causal"):
        pairs = np.ones_like(pairs)
    always = ("num_mem_kv", "add_zero_kv", "head_learned_sink", "sigmoid")
    if any(options.get(name) for name in always):
        return np.ones(query.shape[:2], bool)
    return (pairs & keep.astype(bool)[:, None]).any(axis=2)


def some_query_sees_nothing(case: Case) -> bool:
    return not bool(seen(case).all())


def outside_empty_rows(case: Case) -> Arrays:
    """Rows that see something are as published, the others zero before the output.

    Gradients are those of all rows together, so none are expected.
    """
    full = seen(case)
    names = ("w.o_proj.bias", "w.attention_output/bias", "w.bo")
    beside = case.name.startswith("keras_multi_head")  # (B, T, H, S)
    bias = next((case.arrays[n] for n in names if n in case.arrays), 0.0)
    if beside:
        bias = ACTIVATIONS[case.constructor.get("activation", "relu")](bias)
    expected = {}
    for name, array in case.of("out.").items():
        if name == "out.attention":
            rows = full[:, :, None, None] if beside else full[:, None, :, None]
            expected[name] = np.where(rows, array, 0.0)
        elif name.startswith("out.y"):
            expected[name] = np.where(full[..., None], array, bias)
        else:
            expected[name] = array
    return expected
