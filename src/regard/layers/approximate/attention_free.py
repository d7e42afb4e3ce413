"""The attention-free transformer, with and without biases of places."""

from functools import partial

import keras
from keras import ops

from regard.core.attention_free import attention_free, latest, running, shares
from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen
from regard.core.shapes import sizes_of
from regard.layers.approximate.approximation import Approximation
from regard.layers.caching import number_of
from regard.layers.inputs import by_cause
from regard.layers.keras_internals import computing_in
from regard.layers.weights import check_units_or_none

_HIDDEN = -1e30


@keras.saving.register_keras_serializable("regard")
class AttentionFree(Approximation):
    r"""$c_i = \sigma(q_i)\odot\frac{\sum_j e^{k_j + w_{ij}}\odot v_j}
    {\sum_j e^{k_j + w_{ij}}}$.

    Every feature weighs the keys on its own; the query does not choose, it gates what
    was read. With a ``maximum_length`` the learned bias $w_{ij}$ of places is added
    (AFT-full), with a ``rank`` as a product $u_i^\top v_j$; without, all queries read
    the same (AFT-simple). Weights (B, units, T, S).

    Where it is causal, ``step`` reads one position (B, D) at a time, after
    ``initial_state(batch_size)``: AFT-simple keeps two sums of each feature, AFT-full
    the keys and values of up to ``maximum_length`` positions.

    Zhai et al. 2021, "An attention free transformer", arXiv:2105.14103.

    Args:
        units: width of queries, keys and values.
        maximum_length: of query and memory, None for AFT-simple.
        rank: of the bias of places; None for a full table.
        causal: look back only, where query and memory are one sequence.
        **options: output_shape, use_bias, kernel_ initializer, regularizer and
            constraint, and those of every layer.

    Raises:
        ValueError: for a rank without maximum_length, where an input is longer, and for
            steps of a layer that looks ahead.
    """

    mechanism = "attention_free"

    def __init__(self, units, maximum_length=None, rank=None, causal=False, **options):
        super().__init__(1, units, **options)
        self.units = self.key_dim
        if rank is not None and maximum_length is None:
            raise ValueError(
                "maximum_length must be given with rank, which is that of the bias of "
                f"places. Got rank={rank!r}."
            )
        self.maximum_length = check_units_or_none("maximum_length", maximum_length)
        self.rank = check_units_or_none("rank", rank)
        self.causal = bool(causal)

    def add_weights(self, query_shape, key_shape):
        length = self.maximum_length
        if length is None:
            return
        options = self.weight_options.for_kernel
        if self.rank is None:
            shape = (length, length)
            self.places = self.add_weight(shape, name="places_kernel", **options())
            return
        shape = (length, self.rank)
        self.rows = self.add_weight(shape, name="rows_kernel", **options())
        self.columns = self.add_weight(shape, name="columns_kernel", **options())

    def read(self, vectors, masks, asked):
        query, key, value = vectors
        bias = self._bias(sizes_of(query)[2], sizes_of(key)[2])
        context = attention_free(key, value, bias, masks[1])
        context = ops.sigmoid(widen(query)) * context
        if not asked:
            return context, None, {}
        weights = shares(key, bias, masks[1])
        if masks[0] is not None:
            asks = masks[0][:, None, :, None]
            weights = ops.where(asks, weights, ops.zeros_like(weights))
        past = {"causal": bias[None, None] > _HIDDEN} if self.causal else {}
        return context, weights, {"masks": {**past, **by_cause(*masks)}}

    def _bias(self, length, memory):
        for name, size in (("query", length), ("value", memory)):
            known = self.maximum_length is not None and isinstance(size, int)
            if known and size > self.maximum_length:
                raise ValueError(
                    f"{name} must be at most maximum_length = {self.maximum_length} "
                    f"long. Got {size}."
                )
        if self.maximum_length is None:
            bias = ops.zeros((length, memory), dtype="float32")
        else:
            bias = self._places(lambda table: table[:length], memory)
        if not self.causal:
            return bias
        past = ops.tril(ops.ones_like(bias)) > 0
        return ops.where(past, bias, ops.full_like(bias, _HIDDEN))

    def _places(self, picked, memory):
        """The bias of ``picked(table)``, some rows, and as many keys."""
        if self.rank is None:
            return widen(picked(ops.convert_to_tensor(self.places))[:, :memory])
        rows, columns = map(ops.convert_to_tensor, (self.rows, self.columns))
        return widen(ops.matmul(picked(rows), ops.transpose(columns[:memory])))

    # One position at a time ----------------------------------------------------------

    def initial_state(self, batch_size):
        """The state before the first position: a dict, every leaf batch first."""
        if not self.causal:
            raise ValueError(
                "causal must be True to go step by step: queries see later keys "
                "otherwise. Got False."
            )
        if self.maximum_length is None:
            sums = ops.zeros((batch_size, self.units), dtype="float32")
            return {"top": sums + LOWEST, "total": sums, "mixed": sums}
        kept = ops.zeros((batch_size, self.maximum_length, self.units), dtype="float32")
        position = ops.zeros((batch_size,), dtype="int32")
        return {"key": kept, "value": kept, "position": position}

    def step(self, inputs, state):
        """Read one position (B, D): its output (B, Dout) and the state after it; pure.

        Raises:
            ValueError: where no place is left, unless code is being compiled.
        """
        with computing_in(self):
            inputs = ops.cast(ops.expand_dims(inputs, 1), self.compute_dtype)
            dense = self.query_dense, self.key_dense, self.value_dense
            query, key, value = (each(inputs)[:, 0, 0] for each in dense)
            if self.maximum_length is None:
                context, state = running(key, value, state)
            else:
                self._check_room(state)
                row = partial(ops.take, indices=state["position"], axis=0)
                bias = self._places(row, self.maximum_length)
                context, state = latest(key, value, bias, state)
            context = ops.cast(ops.sigmoid(widen(query)) * context, self.compute_dtype)
            return self.output_dense(context[:, None, None])[:, 0], state

    def _check_room(self, state):
        reached = number_of(ops.max(state["position"]))
        if reached is not None and reached >= self.maximum_length:
            raise ValueError(
                f"state must have room for one more of maximum_length = "
                f"{self.maximum_length} positions. Got one that holds {reached}."
            )

    def weights_shape(self, batch, length, memory):
        return batch, self.units, length, memory

    def get_config(self):
        config = super().get_config()
        for name in ("num_heads", "key_dim", "value_dim"):
            config.pop(name)
        return {
            **config,
            "units": self.units,
            "maximum_length": self.maximum_length,
            "rank": self.rank,
            "causal": self.causal,
        }
