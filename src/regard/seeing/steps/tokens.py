"""What stands at the places of queries and keys: as many texts as there are places."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regard.trace import Trace

Tokens = Sequence[str] | None


def checked_tokens(
    tokens: tuple[Any, Any], trace: Trace, sizes: Mapping[str, int]
) -> tuple[Tokens, Tokens]:
    """One text for each query and one for each key, where they are given.

    Raises:
        ValueError: for too few or too many, or for what is no list of texts.
    """
    queries, keys = tokens
    return (
        _checked("query_tokens", queries, "queries", [sizes["T"]]),
        _checked("key_tokens", keys, "keys", _key_counts(trace, sizes)),
    )


def of_each_example(name: str, tokens: Any, count: int) -> list[Any]:
    """The tokens of each example, where all have one list or each its own.

    Raises:
        ValueError: where there are lists for fewer or more examples.
    """
    if tokens is None or isinstance(tokens, str) or not len(tokens):
        return [tokens] * count
    if isinstance(tokens[0], str):
        return [tokens] * count
    if len(tokens) != count:
        raise ValueError(
            f"{name} must be one list of texts, or one for each of the {count} "
            f"examples. Got {len(tokens)} lists; leave none out, also of what is not "
            "shown."
        )
    return list(tokens)


def _key_counts(trace: Trace, sizes: Mapping[str, int]) -> list[int]:
    """The keys that came in and all of the table, which has the layer's own too."""
    given: Any = trace.inputs.get("value", trace.inputs.get("key"))
    cached = "key_positions" in trace.extra
    came = [np.shape(given)[1]] if np.ndim(given) == 3 and not cached else []
    return sorted({*came, sizes["S"]})


def _checked(name: str, tokens: Any, kind: str, counts: list[int]) -> Tokens:
    if tokens is None:
        return None
    wanted = " or ".join(map(str, counts))
    texts = not isinstance(tokens, str) and all(isinstance(t, str) for t in tokens)
    if texts and len(tokens) in counts:
        return list(tokens)
    got = f"{len(tokens)} texts" if texts else repr(tokens)[:80]
    raise ValueError(
        f"{name} must be a list with a text for each of the {wanted} {kind}. "
        f"Got {got}; padding needs a text too, and without {name} the {kind} are "
        "numbered."
    )
