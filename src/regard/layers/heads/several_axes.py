"""Attention over some of many axes: the others join the batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from keras import ops

from regard.core.scopes import Scope
from regard.core.shapes import sizes_of
from regard.layers.inputs import join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask


def checked_axes(axes):
    """None, or whole numbers without repetition, as Keras' ``attention_axes``.

    Raises:
        ValueError: for anything else.
    """
    if axes is None:
        return None
    listed = axes if isinstance(axes, Sequence) else (axes,)
    whole = all(hasattr(a, "__index__") and not isinstance(a, bool) for a in listed)
    if not listed or not whole or len(set(listed)) != len(listed):
        raise ValueError(
            "attention_axes must be None, an axis or several different ones, counted "
            f"in the query with its batch and features. Got {axes!r}."
        )
    return tuple(int(a) for a in listed)


@dataclass(frozen=True)
class Folding:
    """Which axes of a rank are attended over, and which join the batch."""

    rank: int
    attended: tuple[int, ...]
    others: tuple[int, ...]

    @classmethod
    def of(cls, axes, rank: int) -> "Folding":
        """For ``attention_axes`` and inputs of a rank; None means all between.

        Raises:
            ValueError: where an axis is that of the batch or the features, or none.
        """
        between = tuple(range(1, rank - 1))
        chosen = between if axes is None else [a + rank if a < 0 else a for a in axes]
        if not between or not set(chosen) <= set(between):
            raise ValueError(
                "attention_axes must lie between the batch and the features of the "
                f"query, which has {rank} axes. Got {axes!r}."
            )
        attended = tuple(sorted(chosen))
        return cls(rank, attended, tuple(a for a in between if a not in attended))

    @property
    def plain(self) -> bool:
        """Whether there is nothing to fold."""
        return self.rank == 3

    @property
    def order(self) -> tuple[int, ...]:
        """Batch, others, attended: the order in which axes are joined."""
        return (0, *self.others, *self.attended)

    def fold(self, tensor):
        """(B, …, D) -> (B·others, attended, D)."""
        order = (*self.order, self.rank - 1)
        moved = ops.transpose(tensor, order)
        sizes = sizes_of(moved)
        cut = 1 + len(self.others)
        return ops.reshape(
            moved, (product(sizes[:cut]), product(sizes[cut:-1]), sizes[-1])
        )

    def fold_positions(self, mask, sizes):
        """A mask (B, …) of positions, or (B, attended) for all others alike."""
        if mask is None:
            return None
        count = len(self.attended)
        if len(mask.shape) == self.rank - 1:
            mask = ops.transpose(mask, self.order)
        elif len(mask.shape) == 1 + count:
            for _ in self.others:
                mask = ops.expand_dims(mask, 1)
        else:
            raise ValueError(
                f"a mask must have {self.rank - 1} axes, those of its input, or "
                f"{1 + count}, the batch and what is attended over. Got "
                f"{tuple(mask.shape)}."
            )
        ordered = [sizes[a] for a in self.order]
        mask = ops.broadcast_to(mask, ordered)
        cut = 1 + len(self.others)
        return ops.reshape(mask, (product(ordered[:cut]), product(ordered[cut:])))

    def fold_pairs(self, mask, query_sizes, key_sizes):
        """A mask (B, [others, [heads]], T…, S…) as (B·others, [heads], T, S)."""
        if mask is None:
            return None
        count, rest = 2 * len(self.attended), 1 + len(self.others)
        lead = len(mask.shape) - count
        if lead not in (1, rest, rest + 1):
            raise ValueError(
                f"attention_mask must have {count} axes for pairs behind the batch, "
                f"the axes that are not attended over or these and the heads. Got "
                f"{tuple(mask.shape)}."
            )
        if lead == 1:
            for _ in self.others:
                mask = ops.expand_dims(mask, 1)
        heads = sizes_of(mask)[rest : rest + 1] if lead == rest + 1 else ()
        batch = [query_sizes[a] for a in (0, *self.others)]
        pairs = [sizes[a] for sizes in (query_sizes, key_sizes) for a in self.attended]
        mask = ops.broadcast_to(mask, (*batch, *heads, *pairs))
        half = len(self.attended)
        flat = (product(batch), *heads, product(pairs[:half]), product(pairs[half:]))
        return ops.reshape(mask, flat)

    def unfold(self, output, sizes):
        """(B·others, attended, D…) -> (B, …, D…) in the order of the query."""
        features = sizes_of(output)[2:]
        output = ops.reshape(output, (*(sizes[a] for a in self.order), *features))
        back = [self.order.index(a) for a in range(self.rank - 1)]
        rest = range(self.rank - 1, len(output.shape))
        return ops.transpose(output, (*back, *rest))

    def unfold_weights(self, weights, query_sizes, key_sizes):
        """(B·others, H, T, S) -> (B, others, H, T…, S…), as Keras has them."""
        pairs = [sizes[a] for sizes in (query_sizes, key_sizes) for a in self.attended]
        batch = [query_sizes[a] for a in (0, *self.others)]
        return ops.reshape(weights, (*batch, sizes_of(weights)[1], *pairs))


def product(sizes):
    """Of Python integers, or of scalars where one is not known."""
    total = 1
    for size in sizes:
        total = total * size
    return total


def folded_call(call, folding, arguments):
    """Call an attention of three axes with arguments of many.

    ``arguments`` are those of the call by name, the query among them.
    """
    given = {name: each for name, each in arguments.items() if name != "self"}
    check_one_axis(folding, given)
    query = given["query"]
    value = query if given.get("value") is None else given["value"]
    key = value if given.get("key") is None else given["key"]
    sizes = {
        name: sizes_of(each)
        for name, each in (("query", query), ("value", value), ("key", key))
    }
    query_mask = join(given.get("query_mask"), get_keras_mask(query))
    masks = {
        "query_mask": (query_mask, sizes["query"]),
        "value_mask": (
            join(given.get("value_mask"), get_keras_mask(value)),
            sizes["value"],
        ),
        "key_mask": (join(given.get("key_mask"), get_keras_mask(key)), sizes["key"]),
    }
    given |= {name: folding.fold_positions(*each) for name, each in masks.items()}
    given["attention_mask"] = folding.fold_pairs(
        given.get("attention_mask"), sizes["query"], sizes["value"]
    )
    given["query"] = folding.fold(query)
    given["value"] = None if value is query else folding.fold(value)
    given["key"] = None if key is value else folding.fold(key)
    result = call(**given)
    asked = bool(given.get("return_attention_scores"))
    output, weights = result if asked else (result, None)
    output = folding.unfold(output, sizes["query"])
    if query_mask is not None:
        set_keras_mask(output, query_mask)
    if not asked:
        return output
    return output, folding.unfold_weights(weights, sizes["query"], sizes["value"])


def check_one_axis(folding, given):
    """What counts places needs one axis of them; a cache needs no other axes."""
    several = len(folding.attended) > 1
    names = ("use_causal_mask", "query_positions", "key_positions") if several else ()
    wrong = [
        name
        for name in (*names, "state")
        if given.get(name) is not None and given.get(name) is not False
    ]
    if isinstance(given.get("attention_mask"), Scope):
        wrong.append("attention_mask")
    if wrong:
        raise ValueError(
            f"{' and '.join(wrong)} must be left out where inputs have "
            f"{folding.rank} axes, of which {folding.attended} are attended over. "
            "attention_mask= takes a tensor."
        )
