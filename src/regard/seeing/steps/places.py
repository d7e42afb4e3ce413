"""Where queries and keys stand, and what positions make of it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from regard.core.positions import scaling
from regard.trace import Trace

Array = Any


def place_names(
    trace: Trace, sizes: Mapping[str, int], example: int, query: int
) -> dict[str, Any]:
    """``place`` of the query and ``key_places`` (S,), without the layer's own keys.

    Keys stand at 0 … S - 1 and queries at the last T of them, unless a call says so.
    """
    given: Any = trace.inputs.get("value")
    keys = sizes["S"] if trace.key is None else trace.key.shape[2]
    keys = given.shape[1] if np.ndim(given) == 3 else keys
    usual = np.arange(sizes["T"]) + keys - sizes["T"]
    if trace.mechanism == "local" and not trace.settings["predictive"]:
        usual = np.arange(sizes["T"])  # a query looks where it stands itself
    if trace.settings.get("whose", "regard") != "regard":
        usual = np.arange(sizes["T"])  # Keras counts rows and columns
    asks = _given(trace, "query_positions", usual, example)
    asks = _given(trace, "positions", asks, example)
    read = _given(trace, "key_positions", np.arange(keys), example)
    return {"place": asks[min(query, len(asks) - 1)], "key_places": read}


def _given(trace: Trace, name: str, usual: Array, example: int) -> Array:
    found: Any = trace.inputs.get(name, trace.extra.get(name))
    if found is None:
        return usual
    return found[example % len(found)] if np.ndim(found) == 2 else np.asarray(found)


def rotated(x: Array, angles: Array, pairing: str) -> Array:
    """Pairs of features turned by their angles (…, d/2); the rest stays."""
    width = 2 * np.shape(angles)[-1]
    turning, rest = x[..., :width], x[..., width:]
    half = pairing == "half"
    pairs = np.reshape(turning, (*x.shape[:-1], *((2, -1) if half else (-1, 2))))
    pairs = pairs if half else np.swapaxes(pairs, -1, -2)  # (…, 2, d/2)
    left, right = pairs[..., 0, :], pairs[..., 1, :]
    cosine, sine = np.cos(angles), np.sin(angles)
    both = left * cosine - right * sine, right * cosine + left * sine
    turned = np.stack(both, -2 if half else -1)
    return np.concatenate([np.reshape(turned, turning.shape), rest], -1)


def paired(sizes: Array, pairing: str, width: int) -> Array:
    """The factor of each pair at both of its features; 1 for the rest."""
    both = (sizes, sizes) if pairing == "half" else ()
    joined = np.concatenate(both, -1) if both else np.repeat(sizes, 2, -1)
    rest = np.ones((*joined.shape[:-1], width - joined.shape[-1]))
    return np.concatenate([joined, rest], -1)


def slower(turns: Array, settings: Any, base: float) -> Array:
    """Frequencies as a scaling for long contexts changes them."""
    part = getattr(scaling, settings.get("kind"))(**settings.options())
    return np.asarray(part.frequencies(list(turns), base, 2 * len(turns)))


def turn_size(settings: Any) -> float:
    """What such a scaling multiplies turned vectors by."""
    return getattr(scaling, settings.get("kind"))(**settings.options()).size()


def slope(head: int, heads: int, exponent: float) -> float:
    """That of ALiBi: of a power of two, and between them every second one."""
    power = 2 ** math.floor(math.log2(heads))
    if head < power:
        return 2.0 ** (-exponent * (head + 1) / power)
    return 2.0 ** (-exponent * (2 * (head - power) + 1) / (2 * power))


def bucket(
    offsets: Array, buckets: int, max_distance: int, bidirectional: bool
) -> Array:
    """That of T5 for the way from the query to each key."""
    count = buckets // 2 if bidirectional else buckets
    later = np.where(offsets > 0, count, 0) if bidirectional else 0
    distance = np.abs(offsets) if bidirectional else np.maximum(-offsets, 0)
    exact = count // 2
    far = np.log(np.maximum(distance, 1).astype("float32") / np.float32(exact))
    growth = np.float32((count - exact) / math.log(max_distance / exact))
    grown = np.minimum(exact + np.floor(far * growth).astype(int), count - 1)
    return later + np.where(distance < exact, distance, grown)


def table_row(distances: Array, reach: int, max_distance: int | None) -> Array:
    """That of DeBERTa; with a largest distance far ones share rows that grow."""
    if max_distance is not None:
        near = reach // 2
        far = np.minimum(np.abs(distances), max_distance)
        growth = np.log(np.maximum(far, near) / near)
        grown = growth / math.log((max_distance - 1) / near) * (near - 1)
        rows = np.where(far <= near, far, near + np.ceil(grown - 1e-9))
        distances = np.sign(distances) * rows.astype(int)
    return np.clip(distances + reach, 0, 2 * reach - 1)


def logarithmic(distances: Array, largest: int) -> Array:
    """Swin's scale: 1 where eight times the distance over the largest is seven."""
    scaled = 8.0 * distances / max(largest, 1)
    return np.sign(scaled) * np.log2(1.0 + np.abs(scaled)) / 3.0


def plus(scores: Array, bias: Array) -> Array:
    """A bias on the first keys; those of the layer's own come after them."""
    found = np.array(scores, "float64")
    found[: len(bias)] += bias
    return found


def times(weights: Array, factors: Array) -> Array:
    """Factors on the first keys."""
    found = np.array(weights, "float64")
    found[: len(factors)] *= factors
    return found


# Name -> how it is computed, how written in a formula, whether by whole rows.
PLACES: dict[str, tuple[Any, ...]] = {
    "plus": (plus, "{0} + {1}"),
    "times": (times, r"{0} \cdot {1}"),
    "rotated": (rotated, r"R({1}) \, {0}"),
    "paired": (paired,),
    "slower": (slower,),
    "turn_size": (turn_size,),
    "slope": (slope,),
    "bucket": (bucket, r"\mathrm{{bucket}}({0})"),
    "table_row": (table_row,),
    "logarithmic": (logarithmic,),
}
