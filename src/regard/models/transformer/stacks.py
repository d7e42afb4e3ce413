"""Blocks on top of each other."""

import keras

from regard.layers.decoder_parts import as_layer
from regard.layers.inputs import join
from regard.layers.keras_internals import get_keras_mask, set_keras_mask
from regard.models.transformer.block import spec_of
from regard.models.transformer.decoder_block import TransformerDecoderBlock
from regard.models.transformer.encoder_block import TransformerEncoderBlock


class Stack(keras.layers.Layer):
    """Blocks of one kind, and a norm after the last where norms come first; abstract.

    Args:
        blocks: at least one.
    """

    kind: type = keras.layers.Layer

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        blocks = [as_layer(block) for block in blocks]
        wrong = [block for block in blocks if not isinstance(block, self.kind)]
        if wrong or not blocks:
            raise ValueError(
                f"blocks must be a list of {self.kind.__name__}. Got "
                f"{[type(block).__name__ for block in blocks]}."
            )
        self.blocks = blocks
        last = blocks[-1]
        self.last_norm = last.make_norm("last_norm") if last.pre_norm else None
        self.supports_masking = True

    def build_norm(self, shape):
        if self.last_norm is not None:
            self.last_norm.build(shape)
        self.built = True

    def finish(self, x):
        return x if self.last_norm is None else self.last_norm(x)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_spec(self, inputs, *args, **options):
        return spec_of(self, inputs, *args, **options)

    def get_config(self):
        blocks = [keras.saving.serialize_keras_object(block) for block in self.blocks]
        return {**super().get_config(), "blocks": blocks}


@keras.saving.register_keras_serializable("regard")
class TransformerEncoder(Stack):
    """Encoder blocks on top of each other: (B, S, D) -> (B, S, D).

    Where the last block is pre-norm, one more norm follows it.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1.

    Args:
        blocks: ``TransformerEncoderBlock`` s, each with parts of its own.

    Call arguments: those of a block; ``return_attention_scores`` adds the list of all
    blocks' weights.

    Raises:
        ValueError: where a block is of another kind, or there is none.
    """

    kind = TransformerEncoderBlock

    def build(self, inputs_shape):
        for block in self.blocks:
            if not block.built:
                block.build(inputs_shape)
        self.build_norm(inputs_shape)

    def call(
        self,
        inputs,
        inputs_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        mask = join(inputs_mask, get_keras_mask(inputs))
        x, weights = inputs, []
        for block in self.blocks:
            x, found = block(
                x,
                inputs_mask=mask,
                attention_mask=attention_mask,
                return_attention_scores=True,
                training=training,
            )
            weights.append(found)
        x = self.finish(x)
        if mask is not None:
            set_keras_mask(x, mask)
        return (x, weights) if return_attention_scores else x

    def compute_output_shape(self, inputs_shape):
        return inputs_shape


@keras.saving.register_keras_serializable("regard")
class TransformerDecoder(Stack):
    """Decoder blocks on top of each other: (B, T, D) over a memory (B, S, M).

    Where the last block is pre-norm, one more norm follows it. With ``prepare``,
    ``initial_state`` and ``step`` it goes place by place, in search, with a cache in
    every block.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1.

    Args:
        blocks: ``TransformerDecoderBlock`` s, each with parts of its own, all with a
            ``cross_attention`` or none.
        aligned_by: the block whose weights a step shows; the last but one aligns words
            better than the last (Garg et al. 2019, arXiv:1909.02074).

    Call arguments: those of a block without ``state``; ``return_attention_scores`` adds
    the weights of the block ``aligned_by``.

    Raises:
        ValueError: where a block is of another kind, or there is none.
    """

    kind = TransformerDecoderBlock

    def __init__(self, blocks, aligned_by=-1, **kwargs):
        super().__init__(blocks, **kwargs)
        whole = hasattr(aligned_by, "__index__") and not isinstance(aligned_by, bool)
        if not whole or not -len(blocks) <= aligned_by < len(blocks):
            raise ValueError(
                f"aligned_by must number one of {len(blocks)} blocks. Got "
                f"{aligned_by!r}."
            )
        self.aligned_by = int(aligned_by)
        if len({block.cross_attention is None for block in self.blocks}) > 1:
            raise ValueError(
                "blocks must all have a cross_attention, or none. Got "
                f"{[block.cross_attention for block in self.blocks]}."
            )

    def build(self, inputs_shape, memory_shape=None):
        for block in self.blocks:
            if not block.built:
                block.build(inputs_shape, memory_shape)
        self.build_norm(inputs_shape)

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
    ):
        mask = join(inputs_mask, get_keras_mask(inputs))
        if memory is not None:
            memory_mask = join(memory_mask, get_keras_mask(memory))
        x, weights = inputs, []
        for block in self.blocks:
            x, found = block(
                x,
                memory,
                inputs_mask=mask,
                memory_mask=memory_mask,
                attention_mask=attention_mask,
                memory_attention_mask=memory_attention_mask,
                use_causal_mask=use_causal_mask,
                return_attention_scores=True,
                training=training,
            )
            weights.append(found)
        x = self.finish(x)
        if mask is not None:
            set_keras_mask(x, mask)
        return (x, weights[self.aligned_by]) if return_attention_scores else x

    def prepare(self, memory, memory_mask=None):
        """Every block's memory, projected once: a list of dicts, batch first."""
        memory_mask = join(memory_mask, get_keras_mask(memory))
        return [block.prepare(memory, memory_mask) for block in self.blocks]

    def initial_state(self, memory, batch_size, capacity, ring=False):
        """An empty cache for every block: a list of dicts, batch first."""
        return [
            block.initial_state(own, batch_size, capacity, ring)
            for block, own in zip(self.blocks, memory, strict=True)
        ]

    def step(self, inputs, memory, state):
        """One place (B, D): output (B, D), weights (B, H, S), the next state; pure."""
        x, weights, after = inputs, [], []
        for block, own, before in zip(self.blocks, memory, state, strict=True):
            x, found, then = block.step(x, own, before)
            weights.append(found)
            after.append(then)
        return self.finish(x), weights[self.aligned_by], after

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "aligned_by": self.aligned_by}
