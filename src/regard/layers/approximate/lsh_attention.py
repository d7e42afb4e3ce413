"""Reformer's attention: positions look at those in the same bucket."""

import keras
import numpy as np
from keras import ops

from regard.core.approximate.hashing import hashed, in_buckets
from regard.core.approximate.masked import only
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import by_cause, check_sequences, checked, hide, join
from regard.layers.keras_internals import get_keras_mask
from regard.layers.linear.projections import (
    check_sizes,
    from_heads,
    take_options,
    to_heads,
)
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class LSHAttention(Adaptable, Traceable):
    r"""Softmax attention among positions whose vectors fall into the same bucket.

    Queries and keys are the same projection, keys of length one. A vector's bucket is
    the nearest of random directions and their opposites. Positions are sorted by
    bucket and cut into chunks; a chunk sees itself and the one before, in a circle.
    Several rounds with other directions are joined by how much each saw. A position
    looks at itself only where it sees nothing else. With one bucket and one chunk it is
    softmax attention that leaves out the position itself.

    Kitaev, Kaiser, Levskaya 2020, "Reformer", arXiv:2001.04451, section 2. The
    directions are drawn once, belong to the layer and are saved with it, so that the
    same input has the same output. Any length will do: the last chunk is filled up with
    hidden positions.

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real.
        buckets: (B, H, rounds, T), integers, in place of hashing.
        return_attention_scores: also return the weights (B, H, T, T).

    Args:
        num_heads, key_dim, value_dim, output_shape: as in ``MultiHeadAttention``.
        rounds: of hashing.
        buckets: how many there are in a round, even.
        chunk: positions that are compared at once.
        causal: look back only.
        seed: of the directions.
        **options: use_bias, before and after (how many chunks besides its own one
            sees, 1 and 0), kernel_ initializer, regularizer and constraint, and those
            of every layer.

    Raises:
        ValueError: for a number of buckets that is not even.
    """

    mechanism = "lsh"

    def __init__(  # noqa: PLR0913 - the sizes of hashing
        self,
        num_heads,
        key_dim,
        value_dim=None,
        output_shape=None,
        rounds=8,
        buckets=64,
        chunk=64,
        causal=False,
        seed=None,
        **options,
    ):
        use_bias = options.pop("use_bias", False)
        reach = options.pop("before", 1), options.pop("after", 0)
        kernels = take_options(options)
        super().__init__(**options)
        check_sizes(self, num_heads, key_dim, value_dim, output_shape)
        self.weight_options, self.use_bias = kernels, bool(use_bias)
        self.rounds = check_units("rounds", rounds)
        self.buckets = check_units("buckets", buckets)
        if self.buckets % 2:
            raise ValueError(f"buckets must be even. Got {buckets!r}.")
        self.chunk = check_units("chunk", chunk)
        self.before, self.after = map(int, reach)
        self.causal, self.seed = bool(causal), seed
        self.supports_masking = True

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        width, heads = inputs_shape[-1], self.num_heads
        shape = (heads, self.key_dim)
        self.query_dense = to_heads(self, "query", width, shape, self.use_bias)
        shape = (heads, self.value_dim)
        self.value_dense = to_heads(self, "value", width, shape, self.use_bias)
        output = self.output_size or width
        self.output_dense = from_heads(self, shape, output, self.use_bias)
        shape = (self.key_dim, self.rounds, self.buckets // 2)
        drawn = np.random.default_rng(self.seed).normal(size=shape)
        self.rotations = self.add_weight(
            shape,
            name="rotations",
            initializer=lambda shape, dtype: ops.convert_to_tensor(drawn, dtype),
            trainable=False,
        )
        self.built = True

    def call(
        self,
        inputs,
        mask=None,
        buckets=None,
        return_attention_scores=False,
        training=None,
    ):
        batch, length, _ = sizes_of(inputs)
        mask = checked(join(mask, get_keras_mask(inputs)), "mask", batch, length)
        inputs = hide(inputs, mask)
        query = ops.swapaxes(self.query_dense(inputs), 1, 2)
        value = only(ops.swapaxes(self.value_dense(inputs), 1, 2), mask)
        if buckets is None:
            directions = ops.convert_to_tensor(self.rotations)
            buckets = hashed(ops.stop_gradient(query), directions)
            if mask is not None:  # padding is sorted behind everything
                seen = ops.expand_dims(ops.expand_dims(mask, 1), 1)
                buckets = ops.where(seen, buckets, self.buckets)
        options = (self.chunk, self.before, self.after, self.causal)
        context = in_buckets(query, value, buckets, options, mask)
        context = ops.cast(context, self.compute_dtype)
        output = self.output_dense(ops.swapaxes(context, 1, 2))
        listeners = self.recorders()
        if not (return_attention_scores or listeners):
            return output
        # Outputs are linear in the values, so those of unit values are the weights.
        ones = ops.eye(length, dtype="float32")
        ones = ops.broadcast_to(ones, (batch, self.num_heads, length, length))
        weights = in_buckets(query, ones, buckets, options, mask)
        for listener in listeners:
            parts = {"query": query, "value": value, "context": context}
            extra = {"buckets": buckets}
            masks = by_cause(mask, mask)
            if self.causal:
                masks["causal"] = ops.tril(ops.ones((1, 1, length, length))) > 0
            listener.receive(
                self, {**parts, "weights": weights, "masks": masks, "extra": extra}
            )
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.output_size or inputs_shape[-1])

    def compute_output_spec(self, inputs, mask=None, buckets=None, **options):
        output = self.compute_output_shape(inputs.shape)
        batch, length, _ = inputs.shape
        weights = (batch, self.num_heads, length, length)
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self.output_size,
            "rounds": self.rounds,
            "buckets": self.buckets,
            "chunk": self.chunk,
            "causal": self.causal,
            "seed": self.seed,
            "use_bias": self.use_bias,
            "before": self.before,
            "after": self.after,
            **self.weight_options.config(),
        }
