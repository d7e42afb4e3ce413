"""Decoding with a sampler: training, scheduled sampling, greedy or random answers."""

from typing import Any, NamedTuple

import keras
from keras import ops

from regard.compat.reader import register
from regard.compat.tfa_seq2seq.samplers import InferenceSampler, Sampler
from regard.compat.tfa_seq2seq.stepping import Steps, embedder
from regard.core.shapes import sizes_of
from regard.layers.decoder_loop import run_loop
from regard.layers.decoder_parts import as_layer
from regard.layers.weights import check_units_or_none

__all__ = ["BasicDecoder", "BasicDecoderOutput"]


class BasicDecoderOutput(NamedTuple):
    """``rnn_output`` (B, T, V) and ``sample_id`` (B, T)."""

    rnn_output: Any
    sample_id: Any


@register("tfa_seq2seq")
class BasicDecoder(keras.layers.Layer):
    """Takes steps with a cell; a sampler says what each of them reads.

    Returns ``BasicDecoderOutput(rnn_output, sample_id)``, the last state, and how many
    steps each example took (B,). Every step runs for every example; the lengths say
    where an example ended, and ``impute_finished`` zeroes what comes after.

    Args:
        cell: an ``AttentionWrapper`` or a Keras cell.
        sampler: one of this package.
        output_layer: applied to every output before sampling.
        impute_finished: after its end an example gives 0 and keeps its state.
        maximum_iterations: steps at most; needed where the sampler has no teacher.
        output_time_major: give (T, B, ·).

    Call arguments:
        inputs: with a teacher its inputs (B, T, E); for the embedding samplers a matrix
            (V, E), or None where they have an ``embedding_fn``; for
            ``InferenceSampler`` the first inputs (B, E).
        memory: (B, S, Dm), with an ``AttentionWrapper``; memory_sequence_length,
            memory_mask: as there.
        initial_state: the cell's states, or an ``AttentionWrapperState``.
        sequence_length: with a teacher, the lengths (B,).
        start_tokens, end_token: for the embedding samplers, (B,) and a number.

    Raises:
        ValueError: for a sampler of another kind, a missing maximum_iterations, memory,
            start_tokens or embedding.
    """

    def __init__(
        self,
        cell,
        sampler,
        output_layer=None,
        impute_finished=False,
        maximum_iterations=None,
        output_time_major=False,
        **options,
    ):
        super().__init__(**options)
        self.steps = Steps(cell)
        self.cell = self.steps.cell
        self.sampler = as_layer(sampler)
        if not isinstance(self.sampler, Sampler):
            raise ValueError(
                f"sampler must be a sampler of this package. Got {sampler!r}."
            )
        self.output_layer = as_layer(output_layer)
        if isinstance(self.sampler.embedding_fn, keras.layers.Layer):
            self.embedding = self.sampler.embedding_fn  # so that it is saved
        self.impute_finished = bool(impute_finished)
        self.maximum_iterations = check_units_or_none(
            "maximum_iterations", maximum_iterations
        )
        if not (self.sampler.teaches or maximum_iterations):
            raise ValueError(
                "maximum_iterations must be given for a sampler without a teacher. Got "
                f"{maximum_iterations!r}."
            )
        self.output_time_major = bool(output_time_major)
        if self.sampler.draws:
            self.seed_generator = keras.random.SeedGenerator(self.sampler.seed)

    def call(  # noqa: PLR0913 - what the original's decoders and samplers take
        self,
        inputs=None,
        memory=None,
        memory_sequence_length=None,
        memory_mask=None,
        initial_state=None,
        sequence_length=None,
        start_tokens=None,
        end_token=None,
        training=None,
    ):
        matrix = None if self.sampler.teaches else inputs
        embed = self._embed(matrix)
        first, teacher, lengths = self._first(
            inputs, embed, start_tokens, sequence_length
        )
        batch = ops.shape(first)[0]
        prepared = self._ready(
            first.shape[-1], memory, (memory_sequence_length, memory_mask)
        )
        state = self.steps.start(prepared, initial_state, batch)
        own = {
            "inputs": first,
            "cell": state,
            "finished": ops.equal(lengths, 0),
            "taken": ops.zeros((batch,), dtype="int32"),
        }

        def step(now, memory, own):
            return self._step(now, memory, own, embed, end_token, bool(training))

        walked = self._walked(first, teacher, lengths, batch)
        outputs, weights, own, _ = run_loop(
            step, walked, {"cell": prepared, "lengths": lengths}, own
        )
        state = self.steps.finished(own["cell"], weights[:, 0], prepared)
        return self._result(outputs), state, own["taken"]

    # What the loop walks over --------------------------------------------------------

    def _embed(self, matrix):
        own_kind = isinstance(self.sampler, InferenceSampler)
        if own_kind or (self.sampler.teaches and self.sampler.embedding_fn is None):
            return None
        return embedder(matrix, self.sampler.embedding_fn)

    def _first(self, inputs, embed, start_tokens, sequence_length):
        """The first inputs, the teacher's next ones or None, and the lengths."""
        if self.sampler.teaches:
            batch, length = sizes_of(inputs)[:2]
            last = ops.zeros_like(inputs[:, :1])
            teacher = ops.concatenate([inputs[:, 1:], last], axis=1)
            if sequence_length is None:
                sequence_length = ops.full((batch,), length, dtype="int32")
            return inputs[:, 0], teacher, ops.cast(sequence_length, "int32")
        if isinstance(self.sampler, InferenceSampler):
            first = inputs
        elif start_tokens is None:
            raise ValueError("start_tokens must be given, the ids (B,) to begin with.")
        else:
            first = embed(ops.convert_to_tensor(start_tokens, dtype="int32"))
        many = ops.full((ops.shape(first)[0],), self.maximum_iterations, dtype="int32")
        return first, None, many

    def _walked(self, first, teacher, lengths, batch):
        """(B, T, E + 2): the teacher's next input, and two random numbers."""
        if teacher is None:
            shape = (batch, self.maximum_iterations, first.shape[-1])
            teacher = ops.zeros(shape, dtype=first.dtype)
        elif self.maximum_iterations:
            teacher = teacher[:, : self.maximum_iterations]
        shape = (*sizes_of(teacher)[:2], 2)
        if self.sampler.draws:
            draws = keras.random.uniform(shape, seed=self.seed_generator)
        else:
            draws = ops.zeros(shape)
        teacher = ops.cast(teacher, "float32")
        return ops.concatenate([teacher, ops.cast(draws, "float32")], axis=-1)

    def _ready(self, width, memory, keep):
        """Build what is not built yet, and project the memory."""
        self.steps.build(width, memory)
        if self.output_layer is not None and not self.output_layer.built:
            self.output_layer.build((None, self.steps.output_width))
        return self.steps.prepare(memory, *keep)

    # One step ------------------------------------------------------------------------

    def _step(self, now, memory, own, embed, end_token, training):
        teacher, draws = now[:, :-2], now[:, -2:]
        before = own["cell"]
        output, weights, after = self.steps.step(
            own["inputs"], memory["cell"], before, training
        )
        if self.output_layer is not None:
            output = self.output_layer(output)
        ids = self.sampler.sample(output, draws)
        following = self.sampler.next_inputs(output, ids, teacher, draws, embed)
        finished = own["finished"]
        taken = own["taken"] + ops.cast(ops.logical_not(finished), "int32")
        ended = ops.logical_or(
            self.sampler.ends(ids, end_token), taken >= memory["lengths"]
        )
        ids = ops.reshape(ops.cast(ids, "float32"), (ops.shape(output)[0], -1))
        shown = ops.concatenate([ops.cast(output, "float32"), ids], axis=-1)
        if self.impute_finished:
            shown = ops.where(finished[:, None], ops.zeros_like(shown), shown)
            after = keras.tree.map_structure(
                lambda new, old: ops.where(spread(finished, new), old, new),
                after,
                before,
            )
        own = {
            "inputs": ops.cast(following, own["inputs"].dtype),
            "cell": after,
            "finished": ops.logical_or(finished, ended),
            "taken": taken,
        }
        return shown, weights, own, {}

    def _result(self, outputs):
        shape = getattr(self.sampler, "sample_shape", ())
        count = shape[0] if shape else 1
        ids = outputs[..., -count:]
        ids = ids if shape else ids[..., 0]
        kind = getattr(self.sampler, "sample_dtype", "int32")
        rnn_output = ops.cast(outputs[..., :-count], self.compute_dtype)
        found = [rnn_output, ops.cast(ids, kind)]
        if self.output_time_major:
            found = [ops.swapaxes(each, 0, 1) for each in found]
        return BasicDecoderOutput(*found)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": serialize(self.cell),
            "sampler": serialize(self.sampler),
            "output_layer": self.output_layer and serialize(self.output_layer),
            "impute_finished": self.impute_finished,
            "maximum_iterations": self.maximum_iterations,
            "output_time_major": self.output_time_major,
        }


def spread(condition, tensor):
    """(B,) with as many axes as the tensor."""
    shape = (ops.shape(condition)[0], *[1] * (len(tensor.shape) - 1))
    return ops.reshape(condition, shape)
