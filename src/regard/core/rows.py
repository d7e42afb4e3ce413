"""The path for long inputs: blocks of query rows, one after another.

``ops.map`` makes the walk sequential and ``keras.remat`` keeps no intermediates, so
memory is one block of rows instead of T*S, forwards and backwards. Each row still sees
all its keys, so every normalizer works unchanged.
"""

from dataclasses import replace

import keras
from keras import ops

from regard.core.dense import Recipe, Visibility, dense
from regard.core.scopes import Grid
from regard.core.shapes import is_static, sizes_of

_GRID = tuple(Grid.__dataclass_fields__)


def by_rows(  # noqa: PLR0913 - the engine's arguments
    rows, want, query, key, value, recipe: Recipe, visibility: Visibility, bias, keep
):
    """The same as ``dense``, ``rows`` query rows at a time: the context and ``want``.

    What is not wanted is never joined, so memory is linear in the lengths.
    """
    length = sizes_of(query)[2]
    count = -(-length // rows) if is_static(length) else (length + rows - 1) // rows
    cut = _Cut(rows, count, count * rows - length)
    blocks, whole = _sorted_inputs(cut, query, key, value, visibility, bias, keep)
    # TensorFlow's remat wants a gradient for all that goes in and out, so masks and
    # positions travel as floats.
    kinds = _as_floats(blocks) | _as_floats(whole)
    names = (*blocks, *whole)

    def block(*tensors):
        parts = dict(zip(names, tensors, strict=False))
        parts |= {name: _whole(parts[name], kind) for name, kind in kinds.items()}
        masks = {n: part for n, part in parts.items() if n.startswith("mask/")}
        grid = Grid(*(parts[n] for n in _GRID)) if visibility.grid else None
        result = dense(
            parts["query"],
            parts["key"],
            parts["value"],
            _with_parameters(recipe, tensors[len(names) :]),
            Visibility(masks, visibility.scopes, grid),
            parts.get("bias"),
            parts.get("keep"),
        )
        result["mask"] = ops.cast(result["mask"], "float32")
        return {name: result[name] for name in ("context", *want)}

    def one(own):
        # Everything is an argument: TensorFlow's remat gives a tensor captured by
        # closure no gradient.
        own = [own[name] for name in blocks]  # a mapped dict comes back sorted
        return keras.remat(block)(*own, *whole.values(), *_parameters(recipe))

    results = ops.map(one, blocks)  # each (count, B, H, rows, ...)
    wide = sizes_of(key)[2] + (recipe.own[0].shape[2] if recipe.own else 0)
    widths = {"context": sizes_of(value)[-1]}
    joined = {
        name: cut.join(tensor, widths.get(name, wide), length)
        for name, tensor in results.items()
    }
    if "mask" in joined:
        joined["mask"] = ops.cast(joined["mask"], "bool")
    return joined


_PARAMETERS = (
    "parameters",
    "normalizer_parameters",
    "position_parameters",
    "blend_parameters",
    "own",
)


def _parameters(recipe):
    """All weights of a recipe in one row.

    Copies: TensorFlow's remat counts an argument that is a variable's own tensor twice,
    as the argument and as the variable.
    """
    return [ops.copy(each) for name in _PARAMETERS for each in getattr(recipe, name)]


def _with_parameters(recipe, tensors):
    """The recipe with these weights in place of its own."""
    changed, start = {}, 0
    for name in _PARAMETERS:
        count = len(getattr(recipe, name))
        changed[name] = tuple(tensors[start : start + count])
        start += count
    return replace(recipe, **changed)


class _Cut:
    """Cuts an axis of rows into equal blocks, and joins them again."""

    def __init__(self, rows, count, padding):
        self.rows, self.count, self.padding = rows, count, padding

    def split(self, tensor, axis):
        """(…, T, …) -> (count, …, rows, …), the last block filled with zeros."""
        widths = [(0, 0)] * len(tensor.shape)
        widths[axis] = (0, self.padding)
        shape = sizes_of(tensor)
        blocks = (*shape[:axis], self.count, self.rows, *shape[axis + 1 :])
        return ops.moveaxis(ops.reshape(ops.pad(tensor, widths), blocks), axis, 0)

    def join(self, tensor, width, length):
        """(count, B, H, rows, W) -> (B, H, T, W); a mapped W may be forgotten."""
        _, batch, heads, *_ = sizes_of(tensor)
        tensor = ops.moveaxis(tensor, 0, 2)  # (B, H, count, rows, W)
        shape = (batch, heads, self.count * self.rows, width)
        return ops.reshape(tensor, shape)[:, :, :length]


def _sorted_inputs(cut, query, key, value, visibility, bias, keep):
    """What each block gets its own rows of, and what all of them share."""
    blocks, whole = {"query": cut.split(query, 2)}, {"key": key, "value": value}
    masks = {f"mask/{name}": part for name, part in visibility.masks.items()}
    for name, tensor in {"bias": bias, "keep": keep, **masks}.items():
        if tensor is None:
            continue
        while len(tensor.shape) < 4:
            tensor = ops.expand_dims(tensor, 0)
        if tensor.shape[2] == 1:
            whole[name] = tensor
        else:
            blocks[name] = cut.split(tensor, 2)
    if visibility.grid:
        grid = visibility.grid
        axis = len(grid.query_positions.shape) - 1
        blocks["query_positions"] = cut.split(grid.query_positions, axis)
        blocks["query_index"] = cut.split(grid.query_index, 0)
        whole["key_positions"] = grid.key_positions
        whole["key_index"] = grid.key_index
    return blocks, whole


_DIGIT = 1 << 12  # float32 holds whole numbers only up to 2**24


def _as_floats(tensors):
    """Turn whole numbers into floats in place; return the kinds they had.

    Integers become two digits on a new last axis, so that none is rounded.
    """
    kinds = {}
    for name, tensor in tensors.items():
        kind = keras.backend.standardize_dtype(tensor.dtype)
        if "float" in kind:
            continue
        kinds[name] = kind
        if kind != "bool":
            high = ops.floor_divide(tensor, _DIGIT)
            tensor = ops.stack([high, tensor - high * _DIGIT], axis=-1)
        tensors[name] = ops.cast(tensor, "float32")
    return kinds


def _whole(tensor, kind):
    """Undo ``_as_floats``."""
    tensor = ops.cast(tensor, kind)
    return tensor if kind == "bool" else tensor[..., 0] * _DIGIT + tensor[..., 1]
