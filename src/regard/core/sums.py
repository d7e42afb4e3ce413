"""The path for scores that are products of features: sums instead of pairs."""

from keras import ops

from regard.core.dense import Recipe, Visibility
from regard.core.normalizers import Proportional
from regard.core.scores import widen

_WHOLE = ("query", "padding")  # masks that hide whole queries and whole keys


def is_factored(recipe: Recipe, visibility: Visibility, bias, keep) -> bool:
    """True where keys can be summed up before any query is known."""
    return (
        recipe.factored
        and isinstance(recipe.normalizer, Proportional)
        and bias is None
        and keep is None
        and not visibility.scopes
        and not recipe.own
        and recipe.blend is None
        and all(name in _WHOLE for name in visibility.masks)
    )


def by_sums(query, key, value, recipe, visibility: Visibility):
    r"""$c_i = \frac{\phi(q_i)^\top \sum_j \phi(k_j) v_j^\top}
    {\phi(q_i)^\top \sum_j \phi(k_j) + \epsilon}$ in time linear in both lengths.

    Args:
        query: features (B, H, T, F).
        key: features (B, H, S, F).
        value: (B, H, S, Dv).
        recipe: with the epsilon.
        visibility: of whole queries and whole keys.

    Returns:
        contexts (B, H, T, Dv).
    """
    kind = value.dtype
    query, key, value = widen(query), widen(key), widen(value)
    padding = visibility.masks.get("padding")
    if padding is not None:  # (B, 1, 1, S)
        seen = ops.swapaxes(padding, -1, -2)
        key = ops.where(seen, key, ops.zeros_like(key))
    turned = ops.swapaxes(key, -1, -2)  # (B, H, F, S)
    sums = ops.matmul(query, ops.matmul(turned, value))
    total = ops.matmul(query, ops.sum(turned, axis=-1, keepdims=True))
    context = sums * recipe.normalizer.share(total)
    asked = visibility.masks.get("query")
    if asked is not None:  # (B, 1, T, 1)
        context = ops.where(asked, context, ops.zeros_like(context))
    return ops.cast(context, kind)
