"""Key-value caches: self-attention that goes on where the last call ended."""

from dataclasses import replace

import keras
from keras import ops

from regard.core.caches import Chunk, advance
from regard.core.scopes import Causal, Grid, Prefix, Scope, Window
from regard.core.shapes import is_static, sizes_of
from regard.layers.inputs import checked_bias, quarantine_projected
from regard.layers.keras_internals import computing_in
from regard.layers.weight_dropout import drawing
from regard.layers.weights import check_units

_COUNTS = ("position", "overflow")  # of a cache; everything else are kept tensors


class Caching:
    """What ``Attention`` can remember of its own sequence; abstract.

    A cache is a dict of tensors, batch first: what ``remember`` gives, with a slot for
    every token, and ``position`` (B,), how many tokens came. A static cache also holds
    ``overflow`` (B,), True once a token found no slot; a ring never overflows.
    """

    by_column = False  # True where scores depend on the column a key stands in
    cacheable = True  # False where weights depend on more than queries and keys

    def initial_cache(self, batch_size, capacity, ring=False):
        """An empty cache for ``layer(x, state=cache)``.

        Args:
            batch_size: B.
            capacity: tokens it holds.
            ring: keep the last ``capacity`` tokens. A query then sees at most so many,
                as with ``Window(capacity - 1)``. Otherwise a full cache raises, and
                sets ``overflow`` where compiled code cannot raise.

        Raises:
            ValueError: where the layer is not built, its normalizer joins rows, its
                scope or score counts rows and columns instead of positions, or its
                weights depend on more than queries and keys.
        """
        capacity = check_units("capacity", capacity)
        _check_cacheable(self, ring)
        with computing_in(self):
            key, value = (
                ops.zeros((1, 1, width), dtype=self.compute_dtype)
                for width in self.memory_widths
            )
            if key.shape == value.shape:  # one sequence, as in every call with a cache
                key = value
            kept = self.remember(key, value, ops.zeros((1,), dtype="int32"))
        cache = {
            name: ops.zeros(
                (batch_size, each.shape[1], capacity, each.shape[3]),
                dtype=self.compute_dtype,
            )
            for name, each in kept.items()
        }
        cache["position"] = ops.zeros((batch_size,), dtype="int32")
        if not ring:
            cache["overflow"] = ops.zeros((batch_size,), dtype="bool")
        return cache

    def _continue(self, given, state, attention_mask, bias, training, asked):
        """Take the tokens of ``given`` into a cache, and read it for each of them."""
        kept = {name: each for name, each in state.items() if name not in _COUNTS}
        capacity = next(iter(kept.values())).shape[2]
        chunk = Chunk.of(state["position"], given.length, given.padding)
        counts, fits = counted(state, chunk, given, capacity)
        chunk = replace(chunk, fits=fits)
        new = self.remember(given.key, given.value, chunk.places)
        after, reading = advance(kept, new, chunk, ring="overflow" not in state)
        keys, values = self.recall(reading.kept)
        poison = None
        if given.length != 1 or self.scope or attention_mask is not None:
            # One token sees all that came: only others can have keys hidden from them.
            keys, values, poison = quarantine_projected(keys, values)
        sizes = (*given.sizes(self.num_heads)[:3], sizes_of(keys)[2])
        places = (self.scope, self.position, attention_mask)
        alone = given.length == 1 and all(each is None for each in places)
        grid = None  # what came is all that one token sees, wherever it stands
        if not alone:
            grid = Grid.of(sizes[2], sizes[3], chunk.places, reading.places)
        visibility = self._visibility(
            given.query_mask, reading.real, attention_mask, False, grid, sizes[::2]
        )
        if not alone:
            visibility.scopes["causal"] = _backwards(self.scope)
        if not alone and "overflow" not in state:
            visibility.scopes["ring"] = Window(capacity - 1, capacity - 1)
        places = {"query_positions": chunk.places, "key_positions": reading.places}
        output, weights = self._read(
            given,
            self._placed(self.project_query(given.query), chunk.places),
            (keys, values),
            visibility,
            (checked_bias(bias, sizes), poison),
            drawing(self, training),
            asked,
            lambda context: (context, {"extra": places}),
        )
        cache = {**after, **counts}
        return (output, weights, cache) if asked else (output, cache)


def counted(state, chunk, given, capacity):
    """The counts of a cache after the chunk, and whether it is known to fit.

    A full one raises where it can.
    """
    if "overflow" not in state:
        return {"position": chunk.end}, True
    length = given.query.shape[1]
    if given.padding is None and is_static(length) and length > capacity:
        needed = length
    else:
        needed = number_of(ops.max(chunk.end))
    if needed is not None and needed > capacity:
        raise ValueError(
            f"state must have room for every token. Got a cache of capacity {capacity} "
            f"that would hold {needed}. Make a larger one with initial_cache(batch, "
            "capacity), or one with ring=True that keeps the last tokens."
        )
    overflow = ops.logical_or(ops.cast(state["overflow"], "bool"), chunk.end > capacity)
    return {"position": chunk.end, "overflow": overflow}, needed is not None


def number_of(tensor):
    """A scalar as a Python number, or None while the code is being compiled."""
    try:
        return int(ops.convert_to_numpy(tensor))
    except (TypeError, NotImplementedError, RuntimeError):
        return None


def _backwards(scope):
    """No later keys, but those of a prefix that the layer's scope shows to all."""
    length = 0 if scope is None else scope.prefix()
    return Causal() | Prefix(length) if length else Causal()


def check_continued(value, key, query_positions, key_positions):
    """A cache is of the layer's own sequence, and counts its positions itself."""
    given = {
        "value": value,
        "key": key,
        "query_positions": query_positions,
        "key_positions": key_positions,
    }
    for name, each in given.items():
        if each is not None:
            raise ValueError(
                f"{name} must be None where state is given: a cache holds the keys of "
                "the layer's own sequence, by their positions. For a memory that stays "
                "use prepare and step."
            )


def check_cache(layer, state, query):
    """A state of ``initial_cache``, for as many sequences as there are queries."""
    _check_able(layer)
    kept = set(state) - set(_COUNTS) if isinstance(state, dict) else ()
    if not kept or "position" not in state:
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(
            "state must be a cache: what initial_cache(batch, capacity) gave, or a "
            f"call before. Got {found}. What prepare gives goes to step."
        )
    batch, held = query.shape[0], state["position"].shape[0]
    if is_static(batch, held) and batch != held:
        raise ValueError(
            f"state must hold as many sequences as query has, {batch}. Got a cache of "
            f"{held}. Make one with initial_cache({batch}, capacity)."
        )


def check_no_rows(scope):
    """Scopes in a call with a cache must compare positions."""
    if isinstance(scope, Scope) and scope.by_index:
        raise ValueError(
            "attention_mask must compare positions where state is given, because slots "
            f"are no columns. Got {scope!r}."
        )


def _check_able(layer):
    if not layer.cacheable:
        raise ValueError(
            f"{type(layer).__name__} cannot use a cache: its weights depend on the "
            "whole memory, or on where it looked before. state must be None. Use "
            "prepare, initial_state and step."
        )


def _check_cacheable(layer, ring):
    name = type(layer).__name__
    if not layer.built:
        raise ValueError(
            f"{name} must be built before it makes a cache, which is as wide as its "
            "keys. Call it once, or build((None, None, width))."
        )
    _check_able(layer)
    if not layer.normalizer.rowwise:
        raise ValueError(
            "normalizer must work row by row to use a cache. Got "
            f"{layer.normalizer!r}, in which queries compete."
        )
    if layer.scope is not None and layer.scope.by_index:
        raise ValueError(
            "scope must compare positions to use a cache, because slots are no "
            f"columns. Got {layer.scope!r}."
        )
    if ring and layer.by_column:
        raise ValueError(
            f"ring must be False for {name}, whose scores depend on the column of a "
            "key. Got True."
        )


def continued_spec(layer, query, state, output, weights):
    """What a call with a cache gives, from shapes: Keras tensors."""
    cache = keras.tree.map_structure(
        lambda leaf: keras.KerasTensor(leaf.shape, dtype=leaf.dtype), state
    )
    if weights is None:
        return output, cache
    kept = next(each for name, each in state.items() if name not in _COUNTS)
    length, columns = query.shape[1], kept.shape[2]
    if "overflow" not in state and length != 1:
        columns = None if None in (length, columns) else columns + length
    columns = None if columns is None else columns + layer.own_keys
    shape = (*weights.shape[:-1], columns)
    return output, keras.KerasTensor(shape, dtype=weights.dtype), cache
