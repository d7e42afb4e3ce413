"""What a decoder reads next: the teacher's input, its own choice, or either by chance.

A sampler is an immutable part: all it needs comes as arguments. Random numbers in
[0, 1) are drawn by the decoder before its loop and passed in as ``draws`` (B, 2).
"""

from typing import Any

import keras
from keras import ops

from regard.compat.reader import register
from regard.compat.tfa_seq2seq.wrapper_parts import revived

__all__ = [
    "GreedyEmbeddingSampler",
    "InferenceSampler",
    "SampleEmbeddingSampler",
    "Sampler",
    "ScheduledEmbeddingTrainingSampler",
    "ScheduledOutputTrainingSampler",
    "TrainingSampler",
]

Tensor = Any


class Sampler:
    """Chooses from the outputs of a step and says what the next step reads; abstract.

    ``teaches``: it walks along inputs that are given. ``embedding_fn``: a layer or
    function from ids to inputs.
    """

    teaches = False
    draws = False
    embedding_fn: Any = None
    seed: int | None = None

    def sample(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """The chosen ids (B,) from the outputs (B, V): the likeliest."""
        return ops.cast(ops.argmax(outputs, axis=-1), "int32")

    def next_inputs(self, outputs, ids, teacher, draws, embed) -> Tensor:
        """What the next step reads (B, E)."""
        raise NotImplementedError(f"{type(self).__name__} must define next_inputs.")

    def ends(self, ids: Tensor, end_token) -> Tensor:
        """Which examples (B,) end with this choice."""
        if end_token is None:
            return ops.zeros_like(ids, dtype="bool")
        return ops.equal(ids, ops.cast(end_token, ids.dtype))

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def chosen(outputs: Tensor, draws: Tensor, temperature: float = 1.0) -> Tensor:
    """Ids drawn from softmax(outputs / temperature) with one number an example."""
    shares = ops.cumsum(ops.softmax(outputs / temperature, axis=-1), axis=-1)
    ids = ops.sum(ops.cast(shares < draws[:, :1], "int32"), axis=-1)
    return ops.minimum(ids, outputs.shape[-1] - 1)


def probability(name: str, value: float) -> float:
    """A number in [0, 1], or an error saying so."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1]. Got {value!r}.")
    return float(value)


def batch_first(time_major: bool) -> None:
    """Keras' sequences have the batch first."""
    if time_major:
        raise ValueError(
            "time_major must be False: inputs are (batch, time, width). Got True. "
            "Swap the axes of the inputs."
        )


def saved(function: Any) -> Any:
    """A layer or function for a configuration."""
    if function is None:
        return None
    return keras.saving.serialize_keras_object(function)


@register("tfa_seq2seq")
class TrainingSampler(Sampler):
    """Teacher forcing: every step reads the input that is given for it.

    Args:
        time_major: False; inputs have the batch first.
    """

    teaches = True

    def __init__(self, time_major=False):
        batch_first(time_major)

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        return teacher


@register("tfa_seq2seq")
class ScheduledEmbeddingTrainingSampler(Sampler):
    """Scheduled sampling: now and then a step reads a word drawn from its own outputs.

    Ids are -1 where the teacher's input is read. Bengio, Vinyals, Jaitly, Shazeer 2015,
    arXiv:1506.03099, section 2.4.

    Args:
        sampling_probability: of reading its own word.
        embedding_fn: a layer or function from ids (B,) to inputs (B, E).
        time_major: False; inputs have the batch first.
        seed, scheduling_seed: of the random numbers; the former, if given, counts.
    """

    teaches = draws = True

    def __init__(
        self,
        sampling_probability,
        embedding_fn=None,
        time_major=False,
        seed=None,
        scheduling_seed=None,
    ):
        batch_first(time_major)
        self.sampling_probability = probability(
            "sampling_probability", sampling_probability
        )
        self.embedding_fn = revived(embedding_fn)
        self.scheduling_seed = scheduling_seed
        self.seed = scheduling_seed if seed is None else seed

    def sample(self, outputs, draws):
        own = draws[:, 1] < self.sampling_probability
        return ops.where(own, chosen(outputs, draws), -1)

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        own = ops.expand_dims(ids >= 0, -1)
        words = embed(ops.maximum(ids, 0))
        return ops.where(own, ops.cast(words, teacher.dtype), teacher)

    def get_config(self):
        return {
            "sampling_probability": self.sampling_probability,
            "embedding_fn": saved(self.embedding_fn),
            "seed": self.seed,
            "scheduling_seed": self.scheduling_seed,
        }


@register("tfa_seq2seq")
class ScheduledOutputTrainingSampler(Sampler):
    """Scheduled sampling of the outputs themselves, for outputs that are no words.

    Ids are 1 where a step reads its own output, else 0.

    Args:
        sampling_probability: of reading its own output.
        time_major: False; inputs have the batch first.
        seed: of the random numbers.
        next_inputs_fn: a function from outputs to inputs; by default they are the same.
    """

    teaches = draws = True

    def __init__(
        self, sampling_probability, time_major=False, seed=None, next_inputs_fn=None
    ):
        batch_first(time_major)
        self.sampling_probability = probability(
            "sampling_probability", sampling_probability
        )
        self.seed = seed
        self.next_inputs_fn = revived(next_inputs_fn)

    def sample(self, outputs, draws):
        return ops.cast(draws[:, 1] < self.sampling_probability, "int32")

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        own = self.next_inputs_fn(outputs) if self.next_inputs_fn else outputs
        if own.shape[-1] != teacher.shape[-1]:
            raise ValueError(
                "next_inputs_fn must give inputs as wide as those of the teacher, "
                f"{teacher.shape[-1]}. Got {own.shape[-1]}."
            )
        own_turn = ops.expand_dims(ids > 0, -1)
        return ops.where(own_turn, ops.cast(own, teacher.dtype), teacher)

    def get_config(self):
        return {
            "sampling_probability": self.sampling_probability,
            "seed": self.seed,
            "next_inputs_fn": saved(self.next_inputs_fn),
        }


@register("tfa_seq2seq")
class GreedyEmbeddingSampler(Sampler):
    """Every step reads the likeliest word of the step before.

    Args:
        embedding_fn: a layer or function from ids (B,) to inputs (B, E); None takes a
            matrix of embeddings (V, E) as the decoder's first argument.
    """

    def __init__(self, embedding_fn=None):
        self.embedding_fn = revived(embedding_fn)

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        return embed(ids)

    def get_config(self):
        return {"embedding_fn": saved(self.embedding_fn)}


@register("tfa_seq2seq")
class SampleEmbeddingSampler(Sampler):
    """Every step reads a word drawn from the outputs of the step before.

    Args:
        embedding_fn: as for ``GreedyEmbeddingSampler``.
        softmax_temperature: divides the outputs; None is 1.
        seed: of the random numbers.
    """

    draws = True

    def __init__(self, embedding_fn=None, softmax_temperature=None, seed=None):
        if softmax_temperature is not None and not softmax_temperature > 0:
            raise ValueError(
                f"softmax_temperature must be above 0. Got {softmax_temperature!r}. "
                "The likeliest word is GreedyEmbeddingSampler's."
            )
        self.embedding_fn = revived(embedding_fn)
        self.softmax_temperature, self.seed = softmax_temperature, seed

    def sample(self, outputs, draws):
        return chosen(outputs, draws, self.softmax_temperature or 1.0)

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        return embed(ids)

    def get_config(self):
        return {
            "embedding_fn": saved(self.embedding_fn),
            "softmax_temperature": self.softmax_temperature,
            "seed": self.seed,
        }


@register("tfa_seq2seq")
class InferenceSampler(Sampler):
    """Functions of your own: for outputs that are no words.

    Args:
        sample_fn: a function from outputs (B, D) to samples.
        sample_shape: () or (n,), the shape of a sample.
        sample_dtype: of the samples.
        end_fn: a function from samples to booleans (B,), True = this example ends.
        next_inputs_fn: a function from samples to inputs (B, E); None reads samples.
    """

    def __init__(
        self,
        sample_fn,
        sample_shape,
        sample_dtype="int32",
        end_fn=None,
        next_inputs_fn=None,
    ):
        self.sample_fn, self.end_fn = revived(sample_fn), revived(end_fn)
        self.next_inputs_fn = revived(next_inputs_fn)
        self.sample_shape, self.sample_dtype = tuple(sample_shape), sample_dtype

    def sample(self, outputs, draws):
        return ops.cast(self.sample_fn(outputs), self.sample_dtype)

    def next_inputs(self, outputs, ids, teacher, draws, embed):
        return self.next_inputs_fn(ids) if self.next_inputs_fn else ids

    def ends(self, ids, end_token):
        if self.end_fn is not None:
            return ops.cast(self.end_fn(ids), "bool")
        rows = ops.reshape(ids, (ops.shape(ids)[0], -1))[:, 0]
        return ops.zeros_like(rows, dtype="bool")

    def get_config(self):
        return {
            "sample_fn": saved(self.sample_fn),
            "sample_shape": list(self.sample_shape),
            "sample_dtype": self.sample_dtype,
            "end_fn": saved(self.end_fn),
            "next_inputs_fn": saved(self.next_inputs_fn),
        }
