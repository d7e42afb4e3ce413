"""What a caller may pass to an attention layer, checked and made safe."""

import keras
from keras import ops

from regard.core import masks
from regard.core.scopes import check_scope


def static_scope(scope):
    """A scope for a constructor, from itself or its configuration."""
    if isinstance(scope, dict):
        scope = keras.saving.deserialize_keras_object(scope)
    if not check_scope(scope, "scope").static:
        raise ValueError(
            "scope must not hold data, because it is saved with the layer. "
            f"Got {scope!r}. Pass Padding as attention_mask= in the call."
        )
    return scope


def unpack(inputs, value, key):
    """The list form of ``keras.layers.Attention``: [query, value(, key)]."""
    if value is not None or key is not None or not 1 <= len(inputs) <= 3:
        raise ValueError(
            "inputs must be query, value, key, or one list [query, value] or "
            f"[query, value, key]. Got a list of {len(inputs)} with value="
            f"{'None' if value is None else 'given'}."
        )
    return (*inputs, *[None] * (3 - len(inputs)))


def name_masks(mask, kwargs):
    """``mask=[query_mask, value_mask(, key_mask)]`` as named arguments."""
    if not isinstance(mask, (list, tuple)):
        mask = [mask]
    if len(mask) > 3:
        raise ValueError(
            "mask must be [query_mask, value_mask] or [query_mask, value_mask, "
            f"key_mask]. Got {len(mask)} masks."
        )
    for name, each in zip(("query_mask", "value_mask", "key_mask"), mask):  # noqa: B905
        if each is not None:
            kwargs[name] = join(kwargs.get(name), each)


def join(first, second):
    """Both masks hold; None hides nothing."""
    if first is None or second is None or first is second:
        return second if first is None else first
    first = masks.boolean_mask(first, "mask")
    return ops.logical_and(first, masks.boolean_mask(second, "mask"))


def checked(mask, name, batch, length):
    """A (batch, length) mask as booleans, or None."""
    return None if mask is None else masks.position_mask(mask, name, batch, length)


def check_memory(query, value, key):
    """Keys and values come in pairs, and everything shares the batch."""
    known = [t.shape[0] for t in (query, value, key) if isinstance(t.shape[0], int)]
    if len(set(known)) > 1 or (
        None not in (key.shape[1], value.shape[1]) and key.shape[1] != value.shape[1]
    ):
        raise ValueError(
            "query, value and key must share the batch, and key and value the length. "
            f"Got {tuple(query.shape)}, {tuple(value.shape)} and {tuple(key.shape)}."
        )


def hide(inputs, mask):
    """Zero hidden positions before anything touches them, so that NaN cannot leak."""
    if mask is None:
        return inputs
    return ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))


def quarantine(value, key, visibility, padding):
    """Keep a NaN or inf that some queries may not see away from them.

    A mask per pair cannot zero a key for one query only. So keys and values that are
    not finite are zeroed for all, and NaN is added to their scores: queries that see
    them still get NaN, the others (and every gradient) stay clean.
    """
    per_pair = [name for name in visibility.masks if name not in ("query", "padding")]
    if not per_pair and not visibility.scopes:
        return value, key, None
    finite = ops.all(ops.isfinite(value), axis=-1)
    if key is not value:
        finite = ops.logical_and(finite, ops.all(ops.isfinite(key), axis=-1))
    zero = ops.zeros(ops.shape(finite), dtype="float32")
    poison = ops.where(finite, zero, ops.full_like(zero, float("nan")))
    clean = hide(value, finite)
    return clean, clean if key is value else hide(key, finite), poison[:, None, None]
