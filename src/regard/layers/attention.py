"""The five steps every soft attention shares: project, score, mask, normalize, mix."""

from dataclasses import replace
from functools import partial

import keras
from keras import ops

from regard.changing import changes_of
from regard.core import masks, normalizers, positions
from regard.core.attend import Recipe, Visibility, attend
from regard.core.own_keys import shown_memory
from regard.core.scopes import Causal, Grid, Scope
from regard.core.shapes import sizes_of, taken, with_head, without_head
from regard.layers.adaptation import Adaptable
from regard.layers.caching import (
    Caching,
    check_cache,
    check_continued,
    check_no_rows,
    continued_spec,
)
from regard.layers.inputs import (
    check_sequences,
    checked_bias,
    evaluated,
    gathered,
    name_masks,
    poisoned,
    quarantine,
    static_scope,
    unpack,
)
from regard.layers.keras_internals import set_keras_mask
from regard.layers.stepping import Stepping
from regard.layers.traceable import Traceable
from regard.layers.weight_dropout import drawing, set_dropout


class Attention(Adaptable, Caching, Stepping, Traceable):
    r"""Soft attention over a memory; abstract.

    $c_i = \sum_j a_{ij} v_j,\quad a_i = \mathrm{normalizer}_j(s_{ij} + b_{ij})$

    A mechanism is a final subclass that says how to make its weights (``add_weights``),
    how to project (``project_query``, ``project_memory``), how to score (``recipe``)
    and, with heads, how to join them (``merge``).

    Call arguments:
        query: (B, T, Dq). Alone it attends to itself.
        value: (B, S, Dv), key: (B, S, Dk), by default the value.
        query_mask, value_mask, key_mask: (B, T), (B, S), (B, S), True = real. Implicit
            Keras masks of the inputs are honoured too; all are joined by *and*.
        attention_mask: (T, S), (B, T, S), (B, H, T, S) or a scope, True = may attend.
        bias: added to the scores, broadcasts to (B, H, T, S).
        query_positions, key_positions: integers for scopes, (T,) or (B, T), (S,) or
            (B, S); by default keys stand at 0..S-1 and queries at the last T of them.
        return_attention_scores: also return the weights (Keras' name for them).
        state: a cache of ``initial_cache``. The query is what comes after the tokens in
            it; it sees them and itself, causally, and the result ends in the new cache.
            Tokens hidden by ``value_mask`` are left out, as if they had not come. An
            ``attention_mask`` or bias has a column for every slot.

    The inputs may be the list ``[query, value]`` or ``[query, value, key]`` with
    ``mask=[query_mask, value_mask]``, as for ``keras.layers.Attention``.

    A query that sees no key gets weights 0 and context 0.
    """

    num_heads = 1
    num_heads_shown = False  # whether returned weights have an axis for heads
    maps_per_head = 1  # rows of scores that a head normalizes and combines
    own_keys = 0  # keys of the layer itself, which every query sees
    factored = False  # whether scores are products of positive features
    pairwise_width = 1  # width of the largest intermediate per query-key pair

    def __init__(
        self,
        normalizer="softmax",
        scope=None,
        position=None,
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.normalizer = normalizers.get(normalizer)
        self.scope = None if scope is None else static_scope(scope)
        self.position = positions.get(position)
        set_dropout(self, dropout, seed)
        self.supports_masking = True
        self._allow_non_tensor_positional_args = True

    # What a mechanism fills in -------------------------------------------------------

    def add_weights(self, query_width: int, key_width: int, value_width: int) -> None:
        """Create the weights."""
        raise NotImplementedError(f"{type(self).__name__} must define add_weights.")

    def project_query(self, query):
        """(B, T, Dq) -> (B, H, T, D)."""
        return with_head(query)

    def project_memory(self, key, value):
        """(B, S, Dk), (B, S, Dv) -> (B, H, S, D), (B, H, S, Dv)."""
        return with_head(key), with_head(value)

    def remember(self, key, value, positions) -> dict:
        """What is kept of a memory: tensors with the length on axis 2, by name.

        Keys (B, S, Dk), values (B, S, Dv) and the places (S,) or (B, S) they stand at.
        A prepared memory and a cache hold just this.
        """
        keys, values = self.project_memory(key, value)
        return {"key": self._placed(keys, positions, keys=True), "value": values}

    def recall(self, memory: dict):
        """What was kept -> keys (B, H, S, D) and values (B, H, S, Dv)."""
        return memory["key"], memory["value"]

    def recipe(self) -> Recipe:
        """The score and its parameters, for the engine."""
        raise NotImplementedError(f"{type(self).__name__} must define recipe.")

    def usual_positions(self, length):
        """Where queries stand unless a call says so; None is at the last T keys."""
        return None

    def merge(self, context, query):
        """(B, H, T, Dv) -> (B, T, Dout); the unprojected query is there for gates."""
        return without_head(context)

    def head_width(self, query_width: int) -> int:
        """Width of a projected query, per head."""
        return query_width

    def value_head_width(self, value_width: int) -> int:
        """Width of a projected value, per head."""
        return value_width

    def output_width(self, query_width: int, value_width: int) -> int:
        """The last axis of the output."""
        return value_width

    # The call ------------------------------------------------------------------------

    def __call__(self, query, value=None, key=None, *args, mask=None, **kwargs):
        if isinstance(query, (list, tuple)):
            query, value, key = unpack(query, value, key)
        if len(args) > len(_AFTER_KEY):
            raise TypeError(
                f"after use_causal_mask arguments go by name. Got {3 + len(args)} "
                "positional arguments."
            )
        kwargs.update(zip(_AFTER_KEY, args, strict=False))
        if mask is not None:
            name_masks(mask, kwargs)
        scope = kwargs.get("attention_mask")
        if isinstance(scope, Scope) and not scope.static:
            places = (kwargs.get("query_positions"), kwargs.get("key_positions"))
            memory = query if value is None else value
            kwargs["attention_mask"] = evaluated(scope, query, memory, *places)
        if value is not None:
            kwargs["value"] = value
        if key is not None:
            kwargs["key"] = key
        return super().__call__(query, **kwargs)

    def build(self, query_shape, value_shape=None, key_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        shapes = {"query": query_shape, "value": value_shape, "key": key_shape}
        check_sequences(**shapes)
        self.memory_widths = (key_shape[-1], value_shape[-1])
        self.add_weights(query_shape[-1], *self.memory_widths)
        width = self.head_width(query_shape[-1])
        heads, place = self.num_heads * self.maps_per_head, self.position
        widths = width, self.value_head_width(value_shape[-1])
        self.part_weights = {
            "normalizer": self.normalizer.build(self, heads, width),
            "position": () if place is None else place.build(self, heads, *widths),
        }
        self.built = True

    def call(  # noqa: PLR0913 - Keras' arguments in Keras' order, then ours
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
        *,
        bias=None,
        query_positions=None,
        key_positions=None,
        state=None,
    ):
        if state is not None:
            check_continued(value, key, query_positions, key_positions)
            check_cache(self, state, query)
            check_no_rows(attention_mask)
        given = gathered(query, value, key, query_mask, value_mask, key_mask)
        if state is not None:
            asked = return_attention_scores
            return self._continue(given, state, attention_mask, bias, training, asked)
        hidden = (attention_mask, use_causal_mask)
        places = (query_positions, key_positions)
        asked = return_attention_scores
        return self._answered(given, hidden, bias, places, training, asked)

    def _answered(self, given, hidden, bias, places, training, asked, blend=None):
        """What a call without a state returns.

        ``hidden`` are the mask and whether it is causal, ``places`` the positions of
        queries and keys. ``blend(queries, context)`` may change what was read, with the
        queries as projected, and returns it with what a trace shows besides.
        """
        bias = checked_bias(bias, given.sizes(self.num_heads))
        grid = self._grid(given, *places)
        visibility, memory, poison = self._prepared(given, hidden, grid)
        projected = self.project_query(given.query)
        output, weights = self._read(
            given,
            self._placed(projected, grid.query_positions),
            memory,
            visibility,
            (bias, poison),
            drawing(self, training),
            asked,
            None if blend is None else partial(blend, projected),
        )
        return (output, weights) if asked else output

    def _grid(self, given, query_places, key_places):
        """Where queries and keys stand."""
        if query_places is None:
            query_places = self.usual_positions(given.length)
        return Grid.of(given.length, given.memory, query_places, key_places)

    def _prepared(self, given, hidden, grid):
        """What may be seen, the memory as it is read, and the poison of its columns."""
        visibility = self._visibility(
            given.query_mask, given.padding, *hidden, grid, sizes_of(given.query)
        )
        value, key, poison = quarantine(given.value, given.key, visibility)
        memory = self.recall(self.remember(key, value, grid.key_positions))
        return visibility, memory, poison

    def _read(  # noqa: PLR0913 - all that a look needs
        self, given, queries, memory, visibility, biases, keep, asked, blend=None
    ):
        """The output, and the weights as they are returned where ``asked``."""
        listeners, bias = self.recorders(), poisoned(*biases)
        whole = any(each.reduce is None for each in listeners)
        want = _TABLES if whole else ("weights",) if asked else ()
        result = self.look(queries, *memory, visibility, bias, keep, want)
        context, more = result["context"], {}
        if blend is not None:
            context, more = blend(context)
        output = self.merge(context, given.query)
        if given.query_mask is not None:
            set_keras_mask(output, given.query_mask)
        for listener in listeners:
            tables = result
            if listener.reduce is not None:
                rows = partial(self._rows, queries, memory, visibility, bias)
                sizes = *sizes_of(queries)[:3], sizes_of(memory[0])[2] + self.own_keys
                tables = {**listener.reduce(sizes, rows), "context": result["context"]}
            parts = {"query": queries, "bias": biases[0], "masks": visibility.parts()}
            own = self._whole_recipe().own
            parts |= shown_memory(queries, *memory, own, self.num_heads)
            extra = {**tables.get("extra", {}), **more.get("extra", {})}
            listener.receive(self, {**tables, **parts, **more, "extra": extra})
        if not asked:
            return output, None
        weights = ops.cast(result["weights"], self.compute_dtype)
        return output, self._shape_weights(weights)

    def _rows(self, queries, memory, visibility, bias, numbers=None):
        """Scores, weights and mask of the queries with these numbers, or of all."""
        if numbers is not None and self.normalizer.rowwise:
            queries, bias = (taken(each, numbers, 2) for each in (queries, bias))
            visibility, numbers = visibility.of_rows(numbers), None
        found = self.look(queries, *memory, visibility, bias, want=_TABLES)
        if numbers is None:
            return {name: found[name] for name in _TABLES}
        return {name: taken(found[name], numbers, 2) for name in _TABLES}

    def look(self, queries, keys, values, visibility, bias=None, keep=None, want=()):
        """One look of projected queries at a memory; some mechanisms look again."""
        recipe = self._whole_recipe()
        return attend(queries, keys, values, recipe, visibility, bias, keep, want)

    def _whole_recipe(self) -> Recipe:
        """The mechanism's recipe with the parts' weights."""
        weights = {
            f"{name}_parameters": tuple(ops.convert_to_tensor(each) for each in found)
            for name, found in self.part_weights.items()
        }
        parts = {"position": self.position, "changes": changes_of(self)}
        return replace(self.recipe(), **parts, **weights)

    def _placed(self, vectors, places, keys=False):
        """Queries or keys as their positions change them."""
        if self.position is None:
            return vectors
        weights = map(ops.convert_to_tensor, self.part_weights["position"])
        change = self.position.place_keys if keys else self.position.place_queries
        return change(vectors, places, *weights)

    def _visibility(self, query_mask, padding, attention_mask, causal, grid, sizes):
        parts, scopes = {}, {}
        if query_mask is not None:  # (B, 1, T, 1)
            parts["query"] = query_mask[:, None, :, None]
        if padding is not None:  # (B, 1, 1, S)
            parts["padding"] = padding[:, None, None, :]
        if isinstance(attention_mask, Scope):
            scopes["user"] = attention_mask
        elif attention_mask is not None:
            memory = ops.shape(grid.key_index)[0]
            expected = (sizes[0], self.num_heads, sizes[1], memory)
            parts["user"] = masks.pair_mask(attention_mask, "attention_mask", expected)
        if causal:
            scopes["causal"] = Causal()
        if self.scope is not None:
            scopes[self.scope.cause] = self.scope
        return Visibility(parts, scopes, grid)

    def _shape_weights(self, weights):
        """(B, H, T, S) with heads, (B, T, S) without."""
        return without_head(weights)

    # Keras ---------------------------------------------------------------------------

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        width = self.output_width(query_shape[-1], value_shape[-1])
        return (*query_shape[:-1], width)

    def compute_output_spec(self, query, value=None, key=None, **kwargs):
        value = query if value is None else value
        shape = self.compute_output_shape(query.shape, value.shape)
        spec = keras.KerasTensor(shape, dtype=self.compute_dtype)
        weights = None
        if kwargs.get("return_attention_scores"):
            memory = value.shape[1]
            memory = None if memory is None else memory + self.own_keys
            shape = (query.shape[0], query.shape[1], memory)
            if self.num_heads_shown:
                shape = (shape[0], self.num_heads, *shape[1:])
            weights = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if kwargs.get("state") is not None:
            return continued_spec(self, query, kwargs["state"], spec, weights)
        return spec if weights is None else (spec, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "scope": self.scope and keras.saving.serialize_keras_object(self.scope),
            "position": self.position
            and keras.saving.serialize_keras_object(self.position),
            "dropout": self.dropout,
            "seed": self.seed,
        }


_TABLES = ("weights", "scores", "mask")

# What may follow query, value and key by position, in Keras' own order.
_AFTER_KEY = (
    "query_mask",
    "value_mask",
    "key_mask",
    "attention_mask",
    "return_attention_scores",
    "training",
    "use_causal_mask",
)
