"""A block that writes a sequence from left to right, and may read another."""

from typing import Any

import keras
from keras import ops

from regard.core.caches import Chunk
from regard.core.shapes import sizes_of
from regard.layers.decoder_parts import as_layer
from regard.layers.inputs import hide, join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.models.transformer.block import Block, check_sublayer, check_width


@keras.saving.register_keras_serializable("regard")
class TransformerDecoderBlock(Block):
    r"""Causal self-attention, attention over a memory, then a feed-forward network.

    Each with residual and norm, as in ``TransformerEncoderBlock``. Without
    ``cross_attention`` it is the block of a language model. Input and output (B, T, D).

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.1.

    Args:
        attention: over the sequence itself, causal in every call.
        feed_forward: the width between, or a layer (B, T, D) -> (B, T, D).
        cross_attention: over the memory, or None.
        norm, pre_norm, dropout: as in ``TransformerEncoderBlock``.

    Call arguments:
        inputs: (B, T, D).
        memory: (B, S, M), where there is a ``cross_attention``.
        inputs_mask, memory_mask: (B, T), (B, S), True = real; implicit Keras masks are
            honoured too, and that of the inputs reaches the output.
        attention_mask, memory_attention_mask: which pairs may attend, for the two
            attentions: tensors or scopes.
        use_causal_mask: False lets the self-attention see later places too.
        return_attention_scores: also return the weights, of the ``cross_attention``
            where there is one.
        state: what ``initial_state`` gave; the inputs then come after what it holds,
            and the result ends in the next state.

    Raises:
        ValueError: where an attention is none or of another width; in a call with a
            memory but no ``cross_attention`` or the reverse, with a state that
            ``initial_state`` did not give, and with one where ``use_causal_mask`` is
            False.
    """

    def __init__(self, attention, feed_forward, cross_attention=None, **options):
        super().__init__(attention, feed_forward, **options)
        self.cross_attention: Any = None
        if cross_attention is not None:
            cross_attention = as_layer(cross_attention)
            self.cross_attention = check_sublayer("cross_attention", cross_attention)
            self.cross_attention_norm = self.make_norm("cross_attention_norm")

    def build(self, inputs_shape, memory_shape=None):
        self.build_sublayers(inputs_shape)
        if self.cross_attention is not None:
            if memory_shape is None:
                raise ValueError(
                    "memory must be given, because the block has a cross_attention."
                )
            self.cross_attention_norm.build(inputs_shape)
            widths = inputs_shape[-1], memory_shape[-1]
            if not self.cross_attention.built:
                shapes = ((None, None, width) for width in widths)
                self.cross_attention.build(*shapes)
            check_width("cross_attention", self.cross_attention, *widths)
        self.built = True

    def call(  # noqa: PLR0913 - two attentions and the masks of both
        self,
        inputs,
        memory=None,
        inputs_mask=None,
        memory_mask=None,
        attention_mask=None,
        memory_attention_mask=None,
        use_causal_mask=True,
        return_attention_scores=False,
        training=None,
        state=None,
    ):
        self._check_call(memory, memory_mask, memory_attention_mask)
        if state is not None:
            _check_state(state, use_causal_mask)
        mask = join(inputs_mask, get_keras_mask(inputs))
        own = {
            "query_mask": mask,
            "value_mask": mask,
            "attention_mask": attention_mask,
            "use_causal_mask": use_causal_mask,
            "training": training,
        }
        cross = {
            "value_mask": memory_mask,
            "attention_mask": memory_attention_mask,
            "training": training,
            "query_positions": self._places(inputs, mask, state),
        }

        def read(x):
            return self.cross_attention(
                x, memory, query_mask=mask, return_attention_scores=True, **cross
            )

        cache = None if state is None else state["cache"]
        x, weights, cache = self._run(hide(inputs, mask), own, cache, read, training)
        if mask is not None:
            set_keras_mask(x, mask)
        results = (x, weights) if return_attention_scores else (x,)
        if state is not None:
            results = (*results, {"cache": cache, "cross": self._moved(state, cache)})
        return results if len(results) > 1 else x

    def _check_call(self, memory, *masks):
        """A memory where there is something to read it, and only there."""
        reads = self.cross_attention is not None
        if reads and memory is None:
            raise ValueError(
                "memory must be given, because the block has a cross_attention."
            )
        if not reads and any(each is not None for each in (memory, *masks)):
            raise ValueError(
                "memory and its masks must be None, because the block has no "
                "cross_attention. Make one with cross_attention= an attention."
            )

    def _run(self, x, own, cache, read, training):
        """The sublayers; ``read(x)`` gives context and weights of the memory."""
        found = {}

        def attend(x):
            state = {} if cache is None else {"state": cache}
            results = self.attention(x, return_attention_scores=True, **own, **state)
            output, found["weights"], *rest = results
            found["cache"] = rest[0] if rest else None
            return output

        def look(x):
            output, found["weights"] = read(x)
            return output

        x = self.residual(x, self.attention_norm, attend, training)
        if self.cross_attention is not None:
            x = self.residual(x, self.cross_attention_norm, look, training)
        x = self.residual(x, self.feed_forward_norm, self.feed_forward, training)
        return x, found["weights"], found["cache"]

    def _places(self, inputs, mask, state):
        """Where the inputs stand, for a cross-attention that knows places.

        A sequence that is written begins at 0, however long the memory is.
        """
        cross = self.cross_attention
        if cross is None or (cross.scope is None and cross.position is None):
            return None
        length = sizes_of(inputs)[1]
        if state is None:
            return ops.arange(length, dtype="int32")
        return Chunk.of(state["cache"]["position"], length, mask).places

    def _moved(self, state, cache):
        """The state of the cross-attention after the tokens in the cache."""
        if set(state["cross"]) - {"position"}:
            raise ValueError(
                "state must hold no more than positions of the cross_attention, to "
                f"take several places at once. Got {sorted(state['cross'])}. Use step."
            )
        return {name: cache[name] for name in state["cross"]}

    # One place at a time -------------------------------------------------------------

    def prepare(self, memory, memory_mask=None):
        """What the ``cross_attention`` reads at every step; nothing without one."""
        if self.cross_attention is None:
            return {}
        return self.cross_attention.prepare(memory, value_mask=memory_mask)

    def initial_state(self, memory, batch_size, capacity, ring=False):
        """An empty cache, and the state of the cross-attention over ``memory``."""
        cross = {}
        if self.cross_attention is not None:
            cross = self.cross_attention.initial_state(memory)
        cache = self.attention.initial_cache(batch_size, capacity, ring)
        return {"cache": cache, "cross": cross}

    def step(self, inputs, memory, state):
        """One place (B, D) over a prepared memory: output, weights, next state; pure.

        The weights (B, H, S) are those of the ``cross_attention`` where there is one.
        """
        _check_state(state)
        after = {}

        def read(x):
            found = self.cross_attention.step(x[:, 0], memory, state["cross"])
            output, weights, after["cross"] = found
            output = ops.cast(output, self.compute_dtype)
            return ops.expand_dims(output, 1), weights

        x, weights, cache = self._run(
            ops.expand_dims(inputs, 1), {}, state["cache"], read, False
        )
        state = {"cache": cache, "cross": after.get("cross", state["cross"])}
        if self.cross_attention is None:
            if len(weights.shape) == 3:
                weights = ops.expand_dims(weights, 1)
            weights = weights[:, :, 0]
        return x[:, 0], weights, state

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def get_config(self):
        cross = self.cross_attention
        return {
            **super().get_config(),
            "cross_attention": cross and keras.saving.serialize_keras_object(cross),
        }


def _check_state(state, use_causal_mask=True):
    """One of ``initial_state`` or of a call before; nothing later is in it yet."""
    if not isinstance(state, dict) or set(state) != {"cache", "cross"}:
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(
            "state must be what initial_state(memory, batch_size, capacity) gave, or a "
            f"call before, with 'cache' and 'cross'. Got {found}."
        )
    if not use_causal_mask:
        raise ValueError(
            "use_causal_mask must be True where state is given: what comes later "
            "is not in it yet. Got False."
        )
