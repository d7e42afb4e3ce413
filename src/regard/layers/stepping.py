"""Recurrent use of an attention: prepare a memory once, then ask query by query."""

from keras import ops

from regard.core.attend import Visibility
from regard.core.scopes import Grid
from regard.core.shapes import sizes_of
from regard.layers.inputs import checked, hide, join
from regard.layers.keras_internals import computing_in, get_keras_mask


class Stepping:
    """What ``Attention`` can do one query at a time; abstract."""

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

        Returns ``context (B, Dout)``, ``weights (B, H, S)`` and the next state.
        """
        with computing_in(self):
            query = ops.expand_dims(ops.cast(query, self.compute_dtype), 1)
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
                grid = Grid.of(1, ops.shape(keys)[2], ops.expand_dims(position, 1))
                scopes = {} if self.scope is None else {"scope": self.scope}
                state = {"position": position + 1}
                queries = self._placed(queries, grid.query_positions)
            result = self.look(
                queries,
                keys,
                values,
                Visibility({"padding": mask}, scopes, grid),
                want=("weights",),
            )
            context = self.merge(result["context"], query)
        return ops.squeeze(context, 1), ops.squeeze(result["weights"], 2), state
