"""Which part of the mask of a call is padding, which is causal, which the caller's own.

Layers such as KerasHub's blocks join all masks into one before attention sees it. It is
taken apart by what it hides, never by its name:

- a padding input is an argument or an input of a model with ``padding_mask`` in its
  name, or a mask of Keras on an argument of a layer that has one, (B, S), of a layer or
  model whose call is running;
- *padding*: the mask hides for every query the keys that a padding input hides, no
  others; *causal*: for every query the keys after it, no others; *window*: for every
  query the keys too far before it, or too far on either side, by one width for all of
  them, no others; several: what any of these hides;
- otherwise the mask stays *user*, and beside it stands *padding* where it hides all
  that a padding input hides, which must be something.

A mask that hides nothing has no cause, unless a padding input says the same. A single
query has no keys before and after it, so its mask is never called causal or a window.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import keras
import numpy as np
from keras import ops

from regard.layers.keras_internals import get_keras_mask
from regard.seeing.replacing import replaced

_NAME = "padding_mask"


@contextmanager
def noting_paddings(model: Any, known: list[Any]) -> Iterator[None]:
    """While a layer of the model runs, its padding inputs are the last of ``known``."""
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if hasattr(layer, "inputs") or _arguments(layer):
                stack.enter_context(replaced(layer, "call", _noted(layer, known)))
        yield


def _arguments(layer: Any) -> list[str]:
    names = inspect.signature(layer.call).parameters
    return [name for name in names if _NAME in name]


def _noted(layer: Any, known: list[Any]) -> Any:
    call = layer.call

    @wraps(call)
    def noted(*args: Any, **options: Any) -> Any:
        count = len(known)
        known.extend(_paddings(layer, args, options))
        try:
            return call(*args, **options)
        finally:
            del known[count:]

    return noted


def _paddings(layer: Any, args: Any, options: Any) -> list[Any]:
    """The padding inputs of a call, each (B, S)."""
    given = inspect.signature(layer.call).bind(*args, **options).arguments
    named = dict(given)
    first = args[0] if args else None
    if isinstance(first, Mapping):
        named |= first
    elif hasattr(layer, "inputs"):
        tensors = keras.tree.flatten(first)
        named |= {s.name: t for s, t in zip(layer.inputs, tensors, strict=False)}
    found = [each for name, each in named.items() if _NAME in name]
    if _arguments(layer):
        found += [get_keras_mask(each) for each in given.values() if _is_tensor(each)]
    return [ops.convert_to_tensor(e) for e in found if _is_tensor(e) and e.ndim == 2]


def _is_tensor(each: Any) -> bool:
    return hasattr(each, "shape") and not isinstance(each, keras.KerasTensor)


def told_apart(masks: Mapping[str, Any], paddings: list[Any]) -> dict[str, Any]:
    """The masks of a call by cause, the caller's taken apart by what it hides."""
    masks = dict(masks)
    user = masks.pop("user", None)
    if user is None or np.ndim(user) != 4:
        return masks if user is None else {**masks, "user": user}
    parts = _parts(np.asarray(user, bool), paddings)
    for cause, mask in parts.items():
        masks[cause] = mask & masks[cause] if cause in masks else mask
    return masks


def _parts(mask: np.ndarray, paddings: list[Any]) -> dict[str, np.ndarray]:
    """Of a mask (B, H, T, S), True = may attend."""
    rules = [*_rules_of_places(mask)]
    known = [np.asarray(each, bool)[:, None, None] for each in reversed(paddings)]
    known = [each for each in known if each.shape[3] == mask.shape[3]]
    known = [each for each in known if len(each) == len(mask) or len(mask) == 1]
    for padding in known:
        if _same(mask, padding):
            return {"padding": padding}
        for shown, causes in rules:
            if _same(mask, padding & shown):
                return {"padding": padding, **causes}
    if mask.all():  # nothing is hidden: scores that were looked at for a mask
        return {}
    for shown, causes in rules:
        if _same(mask, shown):
            return causes
    for padding in known:
        if not padding.all() and _same(mask & padding, mask):
            return {"padding": padding, "user": mask}
    return {"user": mask}


def _rules_of_places(
    mask: np.ndarray,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Triangles, then the narrowest windows in which lies all that is shown.

    Each whole and by cause; the only windows are those that show more than a query's
    own place and hide something before it.
    """
    queries, keys = mask.shape[2:]
    seen = mask.any((0, 1))
    windows = []
    for start in {0, keys - queries} if queries > 1 and keys else ():
        after = np.arange(keys) - np.arange(queries)[:, None] - start
        causal = (after <= 0)[None, None]
        yield causal, {"causal": causal}
        first, last = after[seen].min(initial=0), after[seen].max(initial=0)
        if after.min() < first < 0:
            near = (after >= first)[None, None]
            shown = near & (after <= last)
            parts = {"window": shown} if last else {"causal": causal, "window": near}
            windows.append((shown, parts))
    yield from windows


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether both hide the same, however far they are spread out."""
    return bool((first == second).all())
