"""The attention-free transformer: every feature has weights of its own."""

from keras import ops

from regard.core.normalizers.part import LOWEST, top_of
from regard.core.scores import widen


def attention_free(key, value, bias, mask=None):
    r"""$c_i = \frac{\sum_j e^{k_j + w_{ij}} \odot v_j}{\sum_j e^{k_j + w_{ij}}}$.

    Computed as products of exponentials of what lies below its largest value, so that
    the table of pairs is shared by all features. Zhai et al. 2021, "An attention free
    transformer", arXiv:2105.14103.

    Args:
        key: (B, H, S, D).
        value: (B, H, S, D).
        bias: w (T, S); minus infinity hides a pair.
        mask: (B, S), True = real, or None.

    Returns:
        contexts (B, H, T, D), zero where nothing is seen.
    """
    powers = powers_of(key, mask)
    value = widen(value)
    if mask is not None:
        seen = mask[:, None, :, None]
        value = ops.where(seen, value, ops.zeros_like(value))
    pairs = pairs_of(bias)
    total = ops.matmul(pairs, powers)
    mixed = ops.matmul(pairs, powers * value)
    empty = total == 0
    safe = ops.where(empty, ops.ones_like(total), total)
    return ops.where(empty, ops.zeros_like(mixed), mixed / safe)


def shares(key, bias, mask=None):
    """The weights (B, H * D, T, S): one table for every feature."""
    powers = ops.swapaxes(powers_of(key, mask), -1, -2)  # (B, H, D, S)
    batch, heads, width, length = ops.shape(powers)
    table = ops.expand_dims(powers, 3) * pairs_of(bias)
    total = ops.sum(table, axis=-1, keepdims=True)
    safe = ops.where(total == 0, ops.ones_like(total), total)
    return ops.reshape(table / safe, (batch, heads * width, -1, length))


def powers_of(key, mask):
    """e^k over the largest real key of each feature; zero where padded."""
    across = ops.swapaxes(widen(key), -1, -2)  # (B, H, D, S)
    seen = None if mask is None else mask[:, None, None, :]
    shifted = across - top_of(across, seen)
    if seen is not None:
        shifted = ops.where(seen, shifted, ops.zeros_like(shifted))
    powers = ops.exp(shifted)
    if seen is not None:
        powers = ops.where(seen, powers, ops.zeros_like(powers))
    return ops.swapaxes(powers, -1, -2)


def pairs_of(bias):
    """e^w over the largest of each row."""
    bias = widen(bias)
    top = ops.stop_gradient(ops.max(bias, axis=-1, keepdims=True, initial=-1e30))
    return ops.exp(bias - top)


def running(key, value, state):
    """One more key and value (B, D): the context of both and all before, and the state.

    ``state`` has ``total`` and ``mixed``, the sums of both powers, over the power of
    the largest key so far, ``top``; each (B, D).
    """
    key, value = widen(key), widen(value)
    top = ops.stop_gradient(ops.maximum(state["top"], key))
    before, now = ops.exp(state["top"] - top), ops.exp(key - top)
    total = before * state["total"] + now
    mixed = before * state["mixed"] + now * value
    return mixed / total, {"top": top, "total": total, "mixed": mixed}


def latest(key, value, bias, state):
    """The same with a bias of places: keys and values so far stay in the state.

    ``state`` has ``key`` and ``value`` (B, L, D), and ``position`` (B,), where the new
    ones stand; ``bias`` (B, L) has the rows of w there. What is later is hidden.
    """
    position, places = state["position"], ops.arange(bias.shape[1], dtype="int32")
    here = ops.expand_dims(places == position[:, None], -1)
    past = ops.expand_dims(places <= position[:, None], -1)
    keys, values = (
        ops.where(here, ops.expand_dims(widen(new), 1), state[name])
        for name, new in (("key", key), ("value", value))
    )
    scores = ops.where(past, keys + ops.expand_dims(bias, -1), LOWEST)
    shares = ops.softmax(scores, axis=1)  # (B, L, D)
    after = {"key": keys, "value": values, "position": position + 1}
    return ops.sum(shares * values, axis=1), after
