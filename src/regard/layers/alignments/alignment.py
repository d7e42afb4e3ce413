"""What attention that remembers where it looked has in common: the walk over steps."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from regard.changing import changes_of
from regard.core.scopes import Grid
from regard.core.scores import widen
from regard.core.shapes import sizes_of, with_head
from regard.layers.attention import Attention
from regard.layers.changed_weights import shown_keys
from regard.layers.decoder_loop import run_loop
from regard.layers.exporting import check_loop
from regard.layers.inputs import checked_bias, gathered, quarantine
from regard.layers.keras_internals import (
    computing_in,
    set_keras_mask,
    traced_spec,
)
from regard.layers.programs import as_one_program
from regard.layers.weight_dropout import drawn_factors

Tensor = Any


@dataclass(frozen=True)
class Look:
    """What one step has before it; every axis of queries has size 1."""

    query: Tensor  # (B, 1, 1, P), projected
    key: Tensor  # (B, 1, S, A), projected
    seen: Tensor  # (B, 1, 1, S), True = may attend
    real: Tensor  # (B, S), True = no padding
    bias: Tensor | None = None  # (B, 1, 1, S)
    noise: Tensor | None = None  # (B, 1, 1, S)


class Alignment(Attention):
    r"""Attention whose weights depend on those of the step before; abstract.

    $a_i, z_i = \mathrm{align}(q_i, k, z_{i-1}),\quad c_i = \sum_j a_{ij} v_j$

    A mechanism says how the state begins (``begin``) and how a step goes on from it
    (``align``); both are pure. ``prepare``, ``initial_state`` and ``step`` take one
    query at a time, the call takes all T of them in a loop and gives the same.

    The arguments of a call are those of every attention. With ``state`` the walk goes
    on from there (with ``{}`` it begins), and the result ends in the state after the
    last query. A masked query leaves the state as it was.
    """

    cacheable = False
    scored = True  # whether scores are normalized, so that a bias can be added

    def __init__(self, **options):
        super().__init__(**options)
        self.autocast = False  # it would make a state half precision; inputs are cast
        if self.position is not None:
            raise ValueError(
                f"position must be None for {type(self).__name__}, which finds places "
                f"by where it looked before. Got {self.position!r}."
            )
        if not self.normalizer.rowwise or (
            not self.scored and self.normalizer.name != "softmax"
        ):
            needed = "work row by row" if self.scored else "be left out"
            raise ValueError(
                f"normalizer must {needed} for {type(self).__name__}. Got "
                f"{self.normalizer!r}."
            )

    # What a mechanism fills in -------------------------------------------------------

    def begin(self, memory) -> dict:
        """The state before the first step, every leaf batch first."""
        raise NotImplementedError(f"{type(self).__name__} must define begin.")

    def align(self, look: Look, state: dict) -> tuple[Tensor, dict, dict]:
        """Weights (B, 1, 1, S), the next state, and extra for a trace (B, 1, 1, n)."""
        raise NotImplementedError(f"{type(self).__name__} must define align.")

    def settle(self, look: Look, context, state: dict) -> dict:
        """The state, once it is known what was read (B, 1, 1, Dv)."""
        return state

    def normalized(self, scores, look):
        """Weights (B, 1, 1, S) of scores with the bias, 0 where hidden."""
        found = scores if look.bias is None else scores + look.bias
        found = ops.where(look.seen, found, ops.zeros_like(found))
        parameters = map(ops.convert_to_tensor, self.part_weights["normalizer"])
        return self.normalizer(found, look.seen, *parameters)

    def draw_noise(self, shape, training):
        """Random numbers (B, T, S) that the steps need, or None."""
        return None

    # One step ------------------------------------------------------------------------

    def initial_state(self, memory):
        return {**super().initial_state(memory), **self.begin(memory)}

    def step(self, query, memory, state, noise=None):
        """One query (B, Dq) against a prepared memory; pure.

        Returns ``context (B, Dv)``, ``weights (B, 1, S)`` and the next state.
        """
        look = self._look(query, memory, state, noise)
        context, weights, state, _ = self._walk(look, memory, state)
        return context, weights, state

    def extra(self, query, memory, state, noise=None):
        """What a trace shows of a step besides its weights, each (B, 1, n)."""
        look = self._look(query, memory, state, noise)
        shown = self._walk(look, memory, state)[-1]
        return {**shown, "query": look.query[:, :, 0], "mask": look.seen[:, :, 0]}

    def _look(self, query, memory, state, noise):
        with computing_in(self):
            query = ops.expand_dims(ops.cast(query, self.compute_dtype), 1)
            query = self.project_query(query)
        real = ops.cast(memory["mask"], "bool")
        seen = real[:, None, None, :]
        if self.scope is not None:
            places = ops.expand_dims(ops.cast(state["position"], "int32"), 1)
            grid = Grid.of(1, ops.shape(memory["key"])[2], places)
            allowed = self.scope.allows(grid)  # (1, S) | (B, 1, S)
            while len(allowed.shape) < 3:
                allowed = ops.expand_dims(allowed, 0)
            seen = ops.logical_and(seen, ops.expand_dims(allowed, 1))
        shown = shown_keys(self, changes_of(self))
        if shown is not None:
            seen = ops.logical_and(seen, shown[:, :, None])
        if noise is not None:
            noise = ops.cast(noise, "float32")[:, None, None, :]
        return Look(query, memory["key"], seen, real, None, noise)

    def _walk(self, look, memory, state, keep=None):
        """Context (B, Dv), weights (B, 1, S), state and extra of one step."""
        value = ops.cast(memory["value"], self.compute_dtype)
        with computing_in(self):
            weights, after, extra = self.align(look, state)
            for change in changes_of(self):
                seen = ops.broadcast_to(look.seen, ops.shape(weights))
                weights = change.applied(weights, seen)
            mixing = weights if keep is None else weights * widen(keep)
            context = ops.matmul(ops.cast(mixing, value.dtype), value)
            after = self.settle(look, context, after)
        if "position" in state:
            after = {**after, "position": state["position"] + 1}
        after = {name: after[name] for name in state}  # torch's trees keep the order
        extra = {name: ops.squeeze(each, 2) for name, each in extra.items()}
        return context[:, 0, 0], ops.squeeze(weights, 2), after, extra

    # The call ------------------------------------------------------------------------

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
        given = gathered(query, value, key, query_mask, value_mask, key_mask)
        check_loop(self, given.length)
        if bias is not None and not self.scored:
            raise ValueError(
                f"bias must be None for {type(self).__name__}, which has no scores to "
                "add it to. Got a tensor."
            )
        sizes = given.sizes(1)
        bias = checked_bias(bias, sizes)
        grid = Grid.of(given.length, given.memory, query_positions, key_positions)
        visibility = self._visibility(
            None, given.padding, attention_mask, use_causal_mask, grid, sizes[::2]
        )
        value, key, poison = quarantine(given.value, given.key, visibility)
        with computing_in(self):
            query = ops.cast(given.query, self.compute_dtype)
            queries = self.project_query(query)
        memory = self.prepare(value, key, given.padding)
        start = state or self.initial_state(memory)
        shape = (sizes[0], *sizes[2:])
        streams = {
            "seen": self._visible_pairs(visibility, given.query_mask, shape),
            "bias": bias if bias is None else bias[:, 0],
            "noise": self.draw_noise(shape, training),
            "keep": drawn_factors(self, shape, training),
            "poison": poison if poison is None else poison[:, 0],
        }
        mask = given.query_mask
        contexts, weights, last, extra = self._loop(
            queries, streams, memory, start, mask, watched=bool(self.recorders())
        )
        output = ops.cast(contexts, self.compute_dtype)
        if given.query_mask is not None:
            set_keras_mask(output, given.query_mask)
        parts = {"query": queries, "key": memory["key"], "value": memory["value"]}
        parts |= {"bias": bias, "weights": weights, "context": with_head(contexts)}
        self._deliver(parts, extra, visibility, given.query_mask)
        wanted = [output]
        if return_attention_scores:
            weights = ops.cast(weights, self.compute_dtype)
            wanted.append(self._shape_weights(weights))
        if state is not None:
            wanted.append(last)
        return wanted[0] if len(wanted) == 1 else tuple(wanted)

    def _deliver(self, parts, extra, visibility, query_mask):
        """Hand the parts of a call to whoever listens."""
        listeners = self.recorders()
        if not listeners:
            return
        masks, seen = visibility.parts(), ops.ones_like(parts["weights"], dtype="bool")
        if query_mask is not None:
            masks["query"] = query_mask[:, None, :, None]
        for part in masks.values():
            seen = ops.logical_and(seen, part)
        scores = extra.pop("scores", None)
        parts |= {"scores": scores, "mask": seen, "masks": masks, "extra": extra}
        for listener in listeners:
            listener.receive(self, dict(parts))

    def _visible_pairs(self, visibility, query_mask, shape):
        """What hides besides padding, as (B, T, S), or None.

        A padded query answers 0 whatever it saw; who listens shall see that it saw
        nothing.
        """
        pairs = None
        if query_mask is not None and self.recorders():
            pairs = query_mask[:, None, :, None]
        for name, part in visibility.parts().items():
            if name != "padding":
                pairs = part if pairs is None else ops.logical_and(pairs, part)
        for change in changes_of(self):
            pairs = change.narrowed(pairs)
        return None if pairs is None else ops.broadcast_to(pairs[:, 0], shape)

    @as_one_program
    def _loop(self, queries, streams, memory, state, mask, watched):
        """All queries, one after another; what has S columns travels beside them."""
        queries, width, kind = queries[:, 0], queries.shape[-1], queries.dtype
        batch, length = sizes_of(queries)[:2]
        shape = (batch, length, ops.shape(memory["mask"])[1])
        names = [name for name, each in streams.items() if each is not None]
        wide = [ops.broadcast_to(streams[name], shape) for name in names]
        inputs = [ops.cast(each, "float32") for each in (queries, *wide)]

        def step(now, memory, state):
            query = ops.cast(now[:, :width], kind)[:, None, None, :]
            own = {}
            if names:  # (B, n S) -> n times (B, 1, 1, S)
                columns = (ops.shape(now)[0], len(names), 1, -1)
                rest = ops.reshape(now[:, width:], columns)
                own = {name: rest[:, i : i + 1] for i, name in enumerate(names)}
            real = ops.cast(memory["mask"], "bool")
            seen = real[:, None, None, :]
            if "seen" in own:
                seen = ops.logical_and(seen, own["seen"] > 0)
            extras = own.get("bias"), own.get("noise")
            look = Look(query, memory["key"], seen, real, *extras)
            context, *found, extra = self._walk(look, memory, state, own.get("keep"))
            if "poison" in own:  # NaN that this query may see, though no step did
                nan = ops.where(seen, own["poison"], ops.zeros_like(own["poison"]))
                context = context + ops.cast(ops.sum(nan, -1)[:, 0], context.dtype)
            return context, *found, extra if watched else {}

        inputs = ops.concatenate(inputs, axis=-1)
        return run_loop(step, inputs, memory, state, mask)

    def compute_output_spec(self, query, value=None, key=None, **kwargs):
        known = {**kwargs, "state": None}
        specs = super().compute_output_spec(query, value, key, **known)
        if kwargs.get("state") is None:
            return specs
        state = traced_spec(self, query, value, key, **kwargs)[-1]
        return (*specs, state) if isinstance(specs, tuple) else (specs, state)
