"""Attention in blocks of frames, read off as one table of all frames.

KerasHub's layers for sound cut T frames into U blocks of W queries, and each block sees
a window of C keys: query uW + w compares itself with the keys uW + c - P, P frames of
the past. What they cut they hand to two methods: the query to the one; key, value and
what is no padding, in this order, to the other. Their weights are (B, H, U, W, C).
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from typing import Any

from keras import ops

from regard.core.shapes import sizes_of, taken
from regard.seeing.keras_layers.changed import changed
from regard.seeing.keras_layers.delivery import boolean, deliver, tables_of
from regard.seeing.keras_layers.places import in_place_of_hearts
from regard.seeing.replacing import replaced

_CUTTING = ("_convert_to_block", "_extract_block_context")
_HIDDEN = -1e9  # the score of a pair that no block compares


class Blocks:
    """What one call of such a layer cut into blocks, and its tables by frames."""

    def __init__(self, layer: Any, local: Any):
        self.past = layer.max_past_horizon
        self.local = boolean(local)  # (W, C): what a query sees of its block's window
        self.cut: list[Any] = []  # query, key, value (B, T, H, D); what is heard (B, T)
        self.scores: Any = None  # (B, H, U, W, C)
        self.weights: Any = None

    def vectors(self, answer: Any) -> dict[str, Any]:
        """Query, key, value and context, (B, H, T, D)."""
        query, key, value, _ = self.cut
        context = ops.reshape(answer, sizes_of(query))
        found = {"query": query, "key": key, "value": value, "context": context}
        return {name: ops.swapaxes(each, 1, 2) for name, each in found.items()}

    def masks(self) -> dict[str, Any]:
        """What is padding, and what lies outside of every query's window."""
        shape = (*sizes_of(self.weights)[2:3], *sizes_of(self.local))
        local = ops.broadcast_to(self.local, shape)[None, None]
        heard = boolean(self.cut[3])[:, None, None]
        return {"padding": heard, "user": self._by_frames(local, False)}

    def look(self, numbers: Any = None) -> dict[str, Any]:
        """Scores, weights and mask of queries with these numbers, of all where None."""
        masks = self.masks()
        near = masks["user"]
        near = near if numbers is None else taken(near, numbers, 2)
        return tables_of(
            self._by_frames(self.scores, _HIDDEN, numbers),
            self._by_frames(self.weights, 0.0, numbers),
            masks["padding"] & near,
        )

    def _by_frames(self, table: Any, missing: Any, numbers: Any = None) -> Any:
        """(B, H, U, W, C) -> (B, H, T, T) or rows of it; a block's window of a row."""
        batch, heads, blocks, width, window = sizes_of(table)
        frames = sizes_of(self.cut[0])[1]
        rows = ops.arange(frames) if numbers is None else ops.convert_to_tensor(numbers)
        rows = ops.cast(rows, "int32")
        table = ops.reshape(table, (batch, heads, blocks * width, window))
        table = ops.take(table, rows, axis=2)
        columns = ops.arange(frames, dtype="int32") - (rows // width * width)[:, None]
        return _picked(table, columns + self.past, missing)

    def of_blocks(self, table: Any) -> Any:
        """(B, H, T, T) -> (B, H, U, W, C); frames there are not are not read."""
        blocks, width, window = sizes_of(self.weights)[2:]
        frames = sizes_of(table)[2]
        rows = ops.arange(blocks * width, dtype="int32")
        columns = ops.arange(window, dtype="int32") - self.past
        columns = columns + (rows // width * width)[:, None]
        table = ops.take(table, ops.minimum(rows, frames - 1), axis=2)
        return ops.reshape(_picked(table, columns, 0.0), sizes_of(self.weights))


def _picked(table: Any, columns: Any, missing: Any) -> Any:
    """Of each row of (B, H, R, S) places (R, N), ``missing`` where there is none."""
    batch, heads, _, size = sizes_of(table)
    inside = (columns >= 0) & (columns < size)
    places = ops.clip(columns, 0, size - 1)[None, None]
    places = ops.broadcast_to(places, (batch, heads, *sizes_of(columns)))
    found = ops.take_along_axis(table, places, axis=3)
    return ops.where(inside, found, ops.cast(missing, found.dtype))


@contextmanager
def read_in_blocks(layer: Any) -> Iterator[None]:
    """Let a layer deliver what it computes while the block runs."""

    def hand_over(blocks: Blocks, answer: Any) -> None:
        vectors = blocks.vectors(answer)
        sizes = *sizes_of(vectors["query"])[:3], sizes_of(vectors["key"])[2]
        deliver(layer, blocks.masks(), vectors, None, blocks.look, sizes)

    with _watched(layer, lambda blocks: blocks.weights, hand_over):
        yield


@contextmanager
def change_in_blocks(layer: Any) -> Iterator[None]:
    """Let a layer read with changed weights while the block runs."""

    def other(blocks: Blocks) -> Any:
        return blocks.of_blocks(changed(layer, blocks.look()))

    with _watched(layer, other, lambda blocks, answer: None):
        yield


@contextmanager
def _watched(layer: Any, weights_of: Callable, hand_over: Callable) -> Iterator[None]:
    call = layer.call
    signature = inspect.signature(call)

    @wraps(call)
    def watching(*args, **options):
        given = signature.bind(*args, **options).arguments
        local = given.get("causal_valid_mask")
        if local is None:
            local = layer.local_causal_valid_mask
        blocks = Blocks(layer, local)
        softmax = partial(_softmax, blocks, weights_of)
        with ExitStack() as stack:
            stack.enter_context(in_place_of_hearts(layer, softmax, lambda made: made))
            for name in _CUTTING:
                method = _noting(blocks, getattr(layer, name))
                stack.enter_context(replaced(layer, name, method))
            answer = call(*args, **options)
        hand_over(blocks, answer)
        return answer

    with replaced(layer, "call", watching):
        yield


def _softmax(blocks: Blocks, weights_of: Callable, method: Callable) -> Callable:
    def softmax(scores, *rest, **options):
        blocks.scores, blocks.weights = scores, method(scores, *rest, **options)
        return ops.cast(weights_of(blocks), blocks.weights.dtype)

    return softmax


def _noting(blocks: Blocks, method: Callable) -> Callable:
    def noted(tensor, *rest):
        blocks.cut.append(tensor)
        return method(tensor, *rest)

    return noted
