"""What heads of special kinds need: their scale, their looks, latents, turns."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from regard.seeing.elementary import rms_norm
from regard.seeing.steps.places import rotated

Array = Any
Group = Any  # of named ``values``; a part of the settings has its ``kind`` among them


def scale_of(settings: Group) -> float:
    """What a layer with heads multiplies its products by."""
    given = settings.values
    if given.get("scale") is not None:
        return float(given["scale"])
    norm = getattr(given.get("query_key_norm"), "values", {})
    if norm.get("kind") == "Unit":
        return 1.0 if norm["learn"] else float(norm["sharpness"])
    return float(given["key_dim"]) ** -0.5


def key_head(settings: Mapping[str, Any], head: int, heads: int, times: int = 1) -> int:
    """Which head of keys and values a head of queries reads.

    ``times``: how many of each there are for one that the settings count.
    """
    groups = times * (settings.get("num_key_value_heads") or heads // times)
    tiled = settings.get("head_order") == "tile"
    return head % groups if tiled else head * groups // heads


def key_of_look(settings: Group, look: int, looks: int) -> int:
    """Which projection of keys a look reads, of twice as many as heads have keys."""
    return key_head(settings.values, look, looks, 2)


def columns(kernel: Array, head: int, heads: int) -> Array:
    """The piece of the last axis that belongs to a head."""
    width = kernel.shape[-1] // heads
    return kernel[..., head * width : (head + 1) * width]


def first_lambda(settings: Group) -> float:
    """Of differential attention, before the learned vectors have a say."""
    given = settings.values
    if given["lambda_start"] is not None:
        return float(given["lambda_start"])
    return 0.8 - 0.6 * math.exp(-0.3 * (given["depth"] - 1))


def latents(inputs: Array, weights: Group, settings: Group) -> Array:
    """(S, D) -> (S, latent_dim), of multi-head latent attention."""
    given, held = settings.values, weights.values
    down = inputs @ held["memory_down_kernel"] + held.get("memory_down_bias", 0.0)
    latent = down[:, given["rope_dim"] :]
    if not given["latent_norm"]:
        return latent
    return rms_norm(latent, held["memory_gain"], given["epsilon"])


def turned(vectors: Array, places: Array, position: Group) -> Array:
    """(…, D) as RoPE turns them at places (…,); as they are for other positions."""
    found = rope_of(position)
    if found is None:
        return vectors
    width = found.width or np.shape(vectors)[-1]
    frequencies, size = found._frequencies(width)
    angles = np.asarray(places, "float64")[..., None] * np.asarray(frequencies)
    answer = rotated(np.array(vectors, "float64"), angles, found.pairing)
    answer[..., :width] *= size
    return answer


def rope_of(position: Group) -> Any:
    """The RoPE of these settings, or None of any other position."""
    from regard.core.positions import rotary, scaling

    if position is None or position.values.get("kind") != "RoPE":
        return None
    given = position.options()
    slower: Any = given.get("scaling")
    if hasattr(slower, "values"):
        kind = getattr(scaling, slower.values["kind"])
        given["scaling"] = kind(**slower.options())
    return rotary.RoPE(**given)


# Name -> how it is computed and, in a formula, written.
HEADS: dict[str, tuple[Callable[..., Any], str]] = {
    "columns": (columns, "{0}"),
    "scale_of": (scale_of, ""),
    "key_of_look": (key_of_look, ""),
    "first_lambda": (first_lambda, ""),
    "latents": (latents, r"\mathrm{{RMS}}({0} W^D)"),
    "turned": (turned, r"R({1}) \, {0}"),
}
