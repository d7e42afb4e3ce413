"""What a caller may pass to an attention layer, checked and made safe."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from regard.core import masks
from regard.core.scopes import Grid, check_scope
from regard.core.scores import widen
from regard.core.shapes import mismatch, rank_of, sizes_of
from regard.layers.keras_internals import get_keras_mask


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


def check_sequences(**shapes):
    """Every shape, by the name of its input, is (batch, length, width), width known."""
    for name, shape in shapes.items():
        if len(shape) != 3 or shape[-1] is None:
            raise ValueError(
                f"{name} must have shape (batch, length, width) with a known width. "
                f"Got {tuple(shape)}."
            )


@dataclass(frozen=True)
class Inputs:
    """The inputs of one call, checked, hidden positions zeroed.

    ``query`` (B, T, Dq), ``value`` (B, S, Dv), ``key`` (B, S, Dk), the same object as
    the value where none was given; ``query_mask`` (B, T) and ``padding`` (B, S) or
    None.
    """

    query: Any
    value: Any
    key: Any
    query_mask: Any
    padding: Any

    @property
    def length(self):
        return sizes_of(self.query)[1]

    @property
    def memory(self):
        return sizes_of(self.value)[1]

    def sizes(self, heads):
        """(B, H, T, S)."""
        return sizes_of(self.query)[0], heads, self.length, self.memory


def gathered(query, value, key, query_mask, value_mask, key_mask) -> Inputs:
    """Check inputs and masks, join the masks, and zero what they hide."""
    value = query if value is None else value
    key = value if key is None else key
    batch, length = sizes_of(query)[:2]
    check_memory(query, value, key)
    query_mask = join(query_mask, get_keras_mask(query))
    query_mask = checked(query_mask, "query_mask", batch, length)
    padding = padding_of(value, key, value_mask, key_mask)
    query, shared = hide(query, query_mask), key is value
    value = hide(value, padding)
    key = value if shared else hide(key, padding)
    return Inputs(query, value, key, query_mask, padding)


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


def by_cause(query_mask, key_mask):
    """The masks that there are, as a trace has them."""
    found = {}
    if query_mask is not None:  # (B, 1, T, 1)
        found["query"] = query_mask[:, None, :, None]
    if key_mask is not None:  # (B, 1, 1, S)
        found["padding"] = key_mask[:, None, None, :]
    return found


def hide(inputs, mask):
    """Zero hidden positions before anything touches them, so that NaN cannot leak."""
    if mask is None:
        return inputs
    return ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))


def quarantine(value, key, visibility):
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
    # Of numbers: tf2onnx turns a choice between tensors into a product with NaN.
    poison = ops.cast(ops.where(finite, 0.0, float("nan")), "float32")
    clean = hide(value, finite)
    return clean, clean if key is value else hide(key, finite), poison[:, None, None]


def quarantine_projected(keys, values):
    """As ``quarantine``, for projected keys and values (B, H, S, D)."""
    finite = ops.logical_and(
        ops.all(ops.isfinite(keys), axis=(1, 3)),
        ops.all(ops.isfinite(values), axis=(1, 3)),
    )
    zero = ops.zeros(ops.shape(finite), dtype="float32")
    poison = ops.where(finite, zero, ops.full_like(zero, float("nan")))
    clean = ops.expand_dims(ops.expand_dims(finite, 1), -1)
    keys = ops.where(clean, keys, ops.zeros_like(keys))
    values = ops.where(clean, values, ops.zeros_like(values))
    return keys, values, poison[:, None, None]


def poisoned(bias, poison):
    """The caller's bias with the NaN of what is not finite; either may be None."""
    if poison is None or bias is None:
        return poison if bias is None else bias
    return widen(bias) + poison  # not ops.add: axes of one confuse it on TensorFlow


def padding_of(value, key, value_mask, key_mask):
    """Which keys are real (B, S), by every mask that says so; None where all are."""
    batch, memory = sizes_of(value)[:2]
    value_mask = join(value_mask, get_keras_mask(value))
    key_mask = join(key_mask, get_keras_mask(key))
    return join(
        checked(value_mask, "value_mask", batch, memory),
        checked(key_mask, "key_mask", batch, memory),
    )


def checked_bias(bias, sizes):
    """A bias with four axes that broadcasts to (B, H, T, S), or None."""
    if bias is None:
        return None
    bias = ops.convert_to_tensor(bias)
    kind = keras.backend.standardize_dtype(bias.dtype)
    if kind == "bool":
        raise ValueError(
            "bias must be numbers that are added to the scores. Got booleans. A mask "
            "goes to attention_mask=."
        )
    while rank_of(bias) < 4:
        bias = ops.expand_dims(bias, 0)
    if mismatch(bias.shape, sizes, ones=range(4)):
        raise ValueError(
            f"bias must broadcast to (batch, heads, query, key) = {tuple(sizes)}. Got "
            f"{tuple(bias.shape)}."
        )
    return bias


def evaluated(scope, query, memory, query_positions, key_positions):
    """A scope that holds data, as a mask (B, T | 1, S) for this call."""
    lengths = (ops.shape(query)[1], ops.shape(memory)[1])
    if None in lengths:
        raise ValueError(
            "attention_mask must be a tensor while a length is unknown, because a "
            f"scope that holds data is evaluated at once. Got {scope!r} for lengths "
            f"{lengths}."
        )
    return scope.allows(Grid.of(*lengths, query_positions, key_positions))
