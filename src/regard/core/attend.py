r"""The engine: score, mask, normalize, mix, along the path that suits the size.

Every path computes the same function of the same arguments:

    scores  = score(query, key) + bias              (B, H, T, S)  float32 at least
    weights = normalizer(scores where mask)         (B, H, T, S)
    context = (weights * keep) @ value              (B, H, T, Dv)

``dense`` does it at once. ``rows`` walks blocks of query rows one after another
(``ops.map`` over ``keras.remat``), so memory is one block of rows instead of T*S; each
row still sees all its keys, so every normalizer works unchanged.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
from keras import ops

from regard.core.normalizers import Normalizer
from regard.core.scopes import Grid, Scope
from regard.core.scores import widen
from regard.core.shapes import is_static, sizes_of

Tensor = Any
DENSE_LIMIT = 1 << 20  # elements of a (T, S[, D]) intermediate worth holding whole
BLOCK_LIMIT = 1 << 18  # elements of one block of rows


@dataclass(frozen=True)
class Recipe:
    """What a mechanism does between projection and output.

    ``score(query, key, *parameters)`` is pure and gets its weights as arguments, never
    by closure. ``pairwise_width`` is the width of the largest intermediate it makes per
    query-key pair: 1 for products, the units of additive attention.
    """

    score: Callable[..., Tensor]
    normalizer: Normalizer
    parameters: tuple[Tensor, ...] = ()
    pairwise_width: int = 1


@dataclass(frozen=True)
class Visibility:
    """The final mask, kept in parts so that a block of rows never needs all of it."""

    masks: Mapping[str, Tensor] = field(default_factory=dict)  # each (B|1,H|1,T|1,S|1)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    grid: Grid | None = None

    def parts(self) -> dict[str, Tensor]:
        """Every cause of hiding by name, with four axes."""
        parts = dict(self.masks)
        for cause, scope in self.scopes.items():
            allowed = scope.allows(self.grid)  # (T, S) | (B, T, S)
            while len(allowed.shape) < 3:
                allowed = ops.expand_dims(allowed, 0)
            parts[cause] = ops.expand_dims(allowed, 1)
        return parts

    def mask(self) -> Tensor | None:
        """All parts at once, or None where nothing is hidden."""
        joined = None
        for part in self.parts().values():
            joined = part if joined is None else ops.logical_and(joined, part)
        return joined


@dataclass(frozen=True)
class Plan:
    """The path the engine takes, and why."""

    path: str
    rows: int | None
    reason: str
    bytes: int | None

    def __str__(self):
        size = "unknown" if self.bytes is None else f"{self.bytes / 1e6:.1f} MB"
        return f"{self.path}: {self.reason}; about {size} of intermediates"


def plan(query_length, key_length, pairwise_width: int = 1, planes: int = 1) -> Plan:
    """Choose the path from sizes alone; ``planes`` is batch x heads, for the memory.

    A length that is not known yet counts as large.
    """
    if not is_static(query_length, key_length):
        return Plan("rows", 16, "a length is not known before the call", None)
    pair = key_length * pairwise_width
    if query_length == 1 or query_length * pair <= DENSE_LIMIT:
        size = 4 * planes * query_length * pair
        return Plan("dense", None, f"{query_length} x {key_length} is small", size)
    rows = max(1, min(query_length, BLOCK_LIMIT // pair))
    size = 4 * planes * rows * pair
    return Plan("rows", rows, f"{query_length} x {key_length} is large", size)


def attend(  # noqa: PLR0913 - the contract of the engine
    query: Tensor,
    key: Tensor,
    value: Tensor,
    recipe: Recipe,
    visibility: Visibility | None = None,
    bias: Tensor | None = None,
    keep: Tensor | None = None,
    want: tuple[str, ...] = (),
) -> dict[str, Tensor]:
    """Read ``value`` as the scores of ``query`` and ``key`` say.

    Args:
        query: projected queries (B, H, T, D).
        key: projected keys (B, H, S, D').
        value: projected values (B, H, S, Dv).
        recipe: score, normalizer and their parameters.
        visibility: what may be seen; None shows everything.
        bias: added to the scores before masking, broadcasts to (B, H, T, S).
        keep: dropout factors for the weights, 0 or 1/(1-rate), (B, H, T, S).
        want: names among "scores", "weights", "mask" to return as well.

    Returns:
        A dict with "context" (B, H, T, Dv) and what was wanted. Wanting more never
        changes the path or the numbers.
    """
    visibility = visibility or Visibility()
    chosen = plan(query.shape[-2], key.shape[-2], recipe.pairwise_width)
    run = _dense if chosen.path == "dense" else _by_rows(chosen.rows)
    result = run(query, key, value, recipe, visibility, bias, keep)
    return {name: result[name] for name in ("context", *want)}


def _dense(query, key, value, recipe, visibility, bias, keep):
    mask = visibility.mask()
    scores = recipe.score(query, key, *recipe.parameters)
    if bias is not None:
        scores = scores + widen(bias)
    visible = scores
    if mask is not None:
        mask = ops.broadcast_to(mask, ops.shape(scores))
        visible = ops.where(mask, scores, ops.zeros_like(scores))
    weights = recipe.normalizer(visible, mask)
    mixing = weights if keep is None else weights * widen(keep)
    context = ops.matmul(ops.cast(mixing, value.dtype), value)
    if mask is None:
        mask = ops.ones_like(scores, dtype="bool")
    return {"context": context, "scores": scores, "weights": weights, "mask": mask}


def _by_rows(rows: int):
    """The same function, ``rows`` query rows at a time, one block after another."""

    def run(query, key, value, recipe, visibility, bias, keep):
        batch, heads, length, _ = sizes_of(query)
        count = -(-length // rows) if is_static(length) else (length + rows - 1) // rows
        padding = count * rows - length

        def split(tensor, axis):
            """Cut the row axis into blocks and put the blocks first."""
            widths = [(0, 0)] * len(tensor.shape)
            widths[axis] = (0, padding)
            shape = sizes_of(tensor)
            cut = (*shape[:axis], count, rows, *shape[axis + 1 :])
            return ops.moveaxis(ops.reshape(ops.pad(tensor, widths), cut), axis, 0)

        whole, blocks = {"key": key, "value": value}, {"query": split(query, 2)}
        extra = {"bias": bias, "keep": keep}
        extra |= {f"mask/{name}": part for name, part in visibility.masks.items()}
        for name, tensor in extra.items():
            if tensor is None:
                continue
            while len(tensor.shape) < 4:
                tensor = ops.expand_dims(tensor, 0)
            if tensor.shape[2] == 1 and length != 1:
                whole[name] = tensor
            else:
                blocks[name] = split(tensor, 2)
        grid = visibility.grid
        if visibility.scopes:
            positions = grid.query_positions
            blocks["query_positions"] = split(positions, len(positions.shape) - 1)
            blocks["query_index"] = split(grid.query_index, 0)
            whole |= {"key_positions": grid.key_positions, "key_index": grid.key_index}

        names = (*blocks, *whole)

        def block(*tensors):
            parts = dict(zip(names, tensors, strict=False))
            masks = {n: t for n, t in parts.items() if n.startswith("mask/")}
            grid = None
            if visibility.scopes:
                grid = Grid(*(parts[name] for name in Grid.__dataclass_fields__))
            return _dense(
                parts["query"],
                parts["key"],
                parts["value"],
                replace(recipe, parameters=tensors[len(names) :]),
                Visibility(masks, visibility.scopes, grid),
                parts.get("bias"),
                parts.get("keep"),
            )

        def one(own):
            # Everything is an argument: TensorFlow's remat gives a tensor captured
            # by closure no gradient.
            own = [own[name] for name in blocks]  # a mapped dict comes back sorted
            return keras.remat(block)(*own, *whole.values(), *recipe.parameters)

        results = ops.map(one, blocks)  # each (count, B, H, rows, ...)

        def join(tensor):
            tensor = ops.moveaxis(tensor, 0, 2)  # (B, H, count, rows, ...)
            width = tensor.shape[-1] if is_static(tensor.shape[-1]) else -1
            key_length = sizes_of(key)[2] if width == -1 else width
            joined = ops.reshape(tensor, (batch, heads, count * rows, key_length))
            return joined[:, :, :length]

        return {name: join(tensor) for name, tensor in results.items()}

    return run


def standard_scale(width: int) -> float:
    """1/sqrt(d)."""
    return 1.0 / math.sqrt(width)
