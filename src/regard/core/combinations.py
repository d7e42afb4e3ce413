r"""Linear scores of combined features, as one inner product.

$w^\top [q; k; q \odot k]$ is a sum of terms, each linear in what one side gives. So
queries and keys can be prepared apart, and no feature is ever built for a pair:
$w^\top (q \odot k) = (w \odot q)^\top k$.
"""

from typing import Any

from jaxtyping import Float
from keras import ops

Tensor = Any
OPERATIONS = "*+-/"


def parse(combination: str) -> tuple[str, ...]:
    """``"x,y,x*y"`` as its terms.

    Raises:
        ValueError: for a term that is not x, y, or two of them around ``* + - /``.
    """
    terms = tuple(term.replace(" ", "") for term in str(combination).split(","))
    for term in terms:
        pair = len(term) == 3 and term[0] in "xy" and term[2] in "xy"
        if term not in ("x", "y") and not (pair and term[1] in OPERATIONS):
            raise ValueError(
                "combination must join x (the query), y (the key) and pairs of them "
                f"such as x*y, x+y, x-y, x/y by commas. Got {combination!r}."
            )
    return terms


def widths(terms: tuple[str, ...], query_width: int, key_width: int) -> tuple[int, ...]:
    """How many features each term has.

    Raises:
        ValueError: where a term joins query and key of different widths.
    """
    known = {"x": query_width, "y": key_width}
    for term in terms:
        if known[term[0]] != known[term[-1]]:
            raise ValueError(
                f"query and key must have the same width for the term {term}. Got "
                f"{query_width} and {key_width}. The terms x and y take any widths."
            )
    return tuple(known[term[0]] for term in terms)


def for_query(
    query: Float[Tensor, "b q d"], terms: tuple[str, ...], weights: list[Tensor]
) -> Float[Tensor, "b q _"]:
    """What the query brings: weighted features for products, a number, a one."""
    features, number = [], ops.zeros_like(query[..., :1])
    for term, weight in zip(terms, weights, strict=True):
        if term in ("x*y", "y*x", "x/y"):
            features.append(query * weight)
        elif term == "y/x":
            features.append(inverse(query) * weight)
        else:
            number = number + alone(query, "x", term, weight)
    return ops.concatenate([*features, number, ops.ones_like(number)], axis=-1)


def for_key(
    key: Float[Tensor, "b k d"], terms: tuple[str, ...], weights: list[Tensor]
) -> Float[Tensor, "b k _"]:
    """What the key brings, in the order of ``for_query``."""
    features, number = [], ops.zeros_like(key[..., :1])
    for term, weight in zip(terms, weights, strict=True):
        if term in ("x*y", "y*x", "y/x"):
            features.append(key)
        elif term == "x/y":
            features.append(inverse(key))
        else:
            number = number + alone(key, "y", term, weight)
    return ops.concatenate([*features, ops.ones_like(number), number], axis=-1)


def alone(vectors: Tensor, name: str, term: str, weight: Tensor) -> Tensor:
    """The part of a term that only one side, ``name``, decides: (…, 1)."""
    first, last = term[0] == name, term[-1] == name
    if not (first or last):
        return ops.zeros_like(vectors[..., :1])
    if len(term) == 1:
        combined = vectors
    elif first and last:  # x*x and the like
        combined = within(vectors, term[1])
    else:
        sign = -1.0 if last and term[1] == "-" else 1.0
        combined = sign * vectors
    return ops.matmul(combined, ops.expand_dims(weight, -1))


def within(vectors: Tensor, operation: str) -> Tensor:
    """Two times the same, joined."""
    if operation == "*":
        return ops.square(vectors)
    if operation == "/":
        return vectors * inverse(vectors)
    return 2.0 * vectors if operation == "+" else ops.zeros_like(vectors)


def inverse(vectors: Tensor) -> Tensor:
    """1/x, and 0 for 0: what is padded does not become infinite."""
    safe = ops.where(vectors == 0, ops.ones_like(vectors), vectors)
    return ops.where(vectors == 0, ops.zeros_like(vectors), 1.0 / safe)
