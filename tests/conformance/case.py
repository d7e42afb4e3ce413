"""What a row of the suite says about a mechanism."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sizes:
    """All different, so that no transposition passes."""

    batch: int = 2
    query: int = 3
    key: int = 5
    query_width: int = 4
    key_width: int = 6
    value_width: int = 7


@dataclass(frozen=True, eq=False)
class Case:
    """One mechanism and what holds for it.

    - `make(**options)`: a new layer.
    - `reference(weights, **inputs, visible)`: context and weights in float64.
    - `arguments`: the inputs of a call, the first by position.
    - `memory`: those of them that have a key axis, which a mask can hide.
    - `queries`: the one of them that asks, if any.
    - `rows`: how many queries of its own the layer has where no input asks and its
      answer has an axis for them.
    - `mask`: the name of the argument that hides keys.
    - `layout(sizes)`: the shape of every input, where it is not (batch, length, width).
    - `free`: axes whose size may be unknown, by input; by default the length.
    - `constant`: inputs that no gradient enters.
    - `whole`: inputs that are whole numbers from 0 up to, but without, a bound.
    - `places`: how many axes of a memory a mask covers: 1, of images 2.
    - `sees(query_position, key_position)`: the scope the layer was made with.
    - `tags`: which checks apply.
    - `still`: weights that no training step can move, by theory.
    - `xfail`: checks that fail, each with the reason.
    """

    name: str
    make: Callable[..., Any]
    reference: Callable[..., Any]
    sizes: Sizes = Sizes()
    arguments: tuple[str, ...] = ("query", "value", "key")
    memory: tuple[str, ...] = ("value", "key")
    queries: str | None = "query"
    rows: int | None = None
    mask: str = "value_mask"
    layout: Callable[[Sizes], Mapping[str, tuple[int, ...]]] | None = None
    free: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    whole: Mapping[str, int] = field(default_factory=dict)
    places: int = 1
    sees: Callable[[int, int], bool] | None = None
    tags: frozenset[str] = frozenset()
    still: Mapping[str, str] = field(default_factory=dict)
    xfail: Mapping[str, str] = field(default_factory=dict)

    def shapes(self, **sizes):
        """The shape of every input."""
        s = replace(self.sizes, **sizes)
        if self.layout is not None:
            return dict(self.layout(s))
        known = {
            "value": (s.batch, s.key, s.value_width),
            "key": (s.batch, s.key, s.key_width),
            "inputs": (s.batch, s.key, s.value_width),
            self.queries: (s.batch, s.query, s.query_width),
        }
        return {name: known[name] for name in self.arguments}

    def symbol(self, name, batch=None, known=False):
        """The shape of an input as a model is told it; `known` leaves nothing free."""
        _, *shape = self.shapes()[name]
        free = () if known else self.free.get(name, (1,))
        sizes = (None if axis in free else n for axis, n in enumerate(shape, 1))
        return (batch, *sizes)

    def inputs(self, rng, **sizes):
        """Random inputs: float32, or int32 where they are whole numbers."""
        return {
            name: rng.integers(self.whole[name], size=shape).astype("int32")
            if name in self.whole
            else rng.normal(size=shape).astype("float32")
            for name, shape in self.shapes(**sizes).items()
        }

    def dtype(self, name):
        """The dtype of an input."""
        return "int32" if name in self.whole else "float32"

    def visibility(self, inputs, visible=None):
        """`visible` and the layer's own scope, over the axes the reference takes."""
        memory = inputs[self.memory[0]].shape
        batch, key_length = memory[:2]
        if self.queries is None:
            seen = np.ones(memory[: 1 + self.places], bool)
            seen = seen if visible is None else seen & visible
            return seen if self.rows is None else np.stack([seen] * self.rows, axis=1)
        query_length = inputs[self.queries].shape[1]
        allowed = np.ones((batch, query_length, key_length), bool)
        if self.sees is not None:
            start = key_length - query_length
            for i, j in np.ndindex(query_length, key_length):
                allowed[:, i, j] = self.sees(start + i, j)
        return allowed if visible is None else allowed & visible

    def expected(self, weights, inputs, visible=None):
        """The reference on these inputs."""
        return self.reference(
            weights, **inputs, visible=self.visibility(inputs, visible)
        )
