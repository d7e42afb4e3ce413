"""Recurrent use of an attention: prepare a memory once, then ask query by query."""

from keras import ops

from regard.core.attend import Visibility
from regard.core.scopes import Grid
from regard.core.shapes import is_static, sizes_of
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import computing_in, get_keras_mask


class Stepping:
    """What ``Attention`` can do one query at a time; abstract."""

    shares_memory = False  # whether a step may ask several queries of each memory
    mixes_values = False  # whether a context is a mean of memory["value"], no more

    def prepare(self, value, key=None, value_mask=None):
        """Project a memory once: ``key`` and ``value`` (B, H, S, ·), ``mask`` (B, S).

        Args:
            value: (B, S, Dv).
            key: (B, S, Dk), by default the value.
            value_mask: (B, S), True = real.
        """
        if not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work row by row to take single steps. Got "
                f"{self.normalizer!r}, in which queries compete."
            )
        with computing_in(self):
            value_mask = join(value_mask, get_keras_mask(value))
            value = ops.cast(value, self.compute_dtype)
            key = value if key is None else ops.cast(key, self.compute_dtype)
            batch, length = sizes_of(value)[:2]
            mask = checked(value_mask, "value_mask", batch, length)
            places = ops.arange(length, dtype="int32")
            memory = self.remember(hide(key, mask), hide(value, mask), places)
            if mask is None:
                mask = ops.ones((batch, length), dtype="bool")
        return {**memory, "mask": mask}

    def initial_state(self, memory):
        """The state before the first step, every leaf batch first.

        With a scope or a position scheme the state counts positions, the first step
        standing at 0.
        """
        if self.scope is None and self.position is None:
            return {}
        return {"position": ops.zeros((ops.shape(memory["mask"])[0],), dtype="int32")}

    def step(self, query, memory, state):
        """One query (B, Dq) against a prepared memory; pure.

        Where the layer ``shares_memory``, queries (B * K, Dq) and their state may stand
        before a memory of B, K neighbours before each, as the hypotheses of a search.

        Returns ``context (B, Dout)``, ``weights (B, H, S)`` and the next state.
        """
        beside = self._beside(query, memory)
        context, result, state = self._asked(query, memory, state, beside)
        weights = result["weights"]
        if beside == 1:
            return ops.squeeze(context, 1), ops.squeeze(weights, 2), state
        context = ops.reshape(context, (-1, context.shape[-1]))
        weights = ops.transpose(weights, (0, 2, 1, 3))  # (B, K, H, S)
        return context, ops.reshape(weights, (-1, *ops.shape(weights)[2:])), state

    def extra(self, query, memory, state):
        """What a trace shows of a step besides its weights, each (B, H, n)."""
        want = ("weights", "scores", "mask")
        _, result, _ = self._asked(query, memory, state, 1, want)
        shown = {**result.pop("extra", {}), **result}
        rows = {name: each for name, each in shown.items() if len(each.shape) == 4}
        return {name: each[:, :, 0] for name, each in rows.items() if name != "weights"}

    def _asked(self, query, memory, state, beside, want=("weights",)):
        """Context (B, K, Dout), what a look found, and the next state."""
        with computing_in(self):
            query = ops.cast(query, self.compute_dtype)
            query = ops.reshape(query, (-1, beside, query.shape[-1]))
            kept = {
                name: ops.cast(each, self.compute_dtype)
                for name, each in memory.items()
                if name != "mask"
            }
            keys, values = self.recall(kept)
            mask = ops.cast(memory["mask"], "bool")[:, None, None, :]
            scopes, grid = {}, None
            queries = self.project_query(query)
            if state:
                position = ops.cast(state["position"], "int32")
                places = ops.reshape(position, (-1, beside))
                grid = Grid.of(beside, ops.shape(keys)[2], places)
                scopes = {} if self.scope is None else {self.scope.cause: self.scope}
                state = {"position": position + 1}
                queries = self._placed(queries, grid.query_positions)
            result = self.look(
                queries,
                keys,
                values,
                Visibility({"padding": mask}, scopes, grid),
                want=want,
            )
            context = self.merge(result["context"], query)
        return context, {**result, "query": queries}, state

    def _beside(self, query, memory):
        """How many queries ask one memory."""
        rows, memories = query.shape[0], memory["mask"].shape[0]
        if not self.shares_memory or not is_static(rows, memories):
            return 1
        return rows // memories if memories else 1
