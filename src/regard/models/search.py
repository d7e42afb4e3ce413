"""Decoding: greedy search, beam search and sampling over one model step.

A model is anything with ``encode(source) -> memory``, ``initial_state(memory, length)``
for at most ``length`` ids, and ``step(tokens, memory, state) -> logits, weights,
state``, the same step that training runs; every leaf of memory and state has the batch
first. Leaves named ``overflow`` are True where a cache was full.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from regard.models.beam import beam_search
from regard.models.compiled import compiled
from regard.models.sampling import sample
from regard.recording import recorders, unrecorded


@dataclass(frozen=True)
class Hypotheses:
    """The results for a batch, the best first: NumPy arrays.

    ``ids`` (B, K, L) up to the end mark, then padding; ``scores`` (B, K) as ranked;
    ``log_probabilities`` (B, K); ``lengths`` (B, K) with the end mark; ``alignments``
    (B, K, H, L, S): the weights with which every id was chosen.
    """

    ids: np.ndarray
    scores: np.ndarray
    log_probabilities: np.ndarray
    lengths: np.ndarray
    alignments: np.ndarray


@dataclass(frozen=True)
class Search:
    """Settings of a search.

    Args:
        beam: hypotheses kept at every step; 1 is greedy search.
        length_alpha: exponent of the length normalization, 0 for none.
        coverage_beta: weight of the coverage penalty, 0 for none.
        max_length: ids at most, the end mark included.
        temperature: above 0 samples from the softmax of logits / temperature.
        top_k, top_p: sample from the k likeliest ids, from the smallest set with
            probability p; None for all.
        start, end, forbidden: ids that begin and end a sequence, and that never occur.
    """

    beam: int = 1
    length_alpha: float = 1.0
    coverage_beta: float = 0.0
    max_length: int = 64
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    start: int = 1
    end: int = 2
    forbidden: tuple[int, ...] = (0, 1)

    def __post_init__(self):
        bounds = {
            "beam": (self.beam >= 1, "at least 1"),
            "length_alpha": (self.length_alpha >= 0, "0 or more"),
            "coverage_beta": (self.coverage_beta >= 0, "0 or more"),
            "max_length": (self.max_length >= 1, "at least 1"),
            "temperature": (self.temperature >= 0, "0 or more"),
            "top_k": (self.top_k is None or self.top_k >= 1, "at least 1"),
            "top_p": (self.top_p is None or 0 < self.top_p <= 1, "in (0, 1]"),
        }
        for name, (holds, needed) in bounds.items():
            if not holds:
                raise ValueError(f"{name} must be {needed}. Got {getattr(self, name)}.")
        if self.temperature and self.beam > 1:
            raise ValueError(
                "temperature must be 0 with a beam: sampling follows one sequence. Got "
                f"temperature={self.temperature} and beam={self.beam}."
            )
        if not self.temperature and (self.top_k or self.top_p):
            raise ValueError("top_k and top_p need a temperature above 0. Got 0.")


class Searcher:
    """Search with one model, compiled once for every shape of the source.

    Where the model is captured meanwhile (``regard.capture``), every layer shows one
    call: that of the model once more along the best hypotheses, in inference.

    Args:
        model: a model with ``encode``, ``initial_state`` and ``step``.
        settings: a ``Search``.
    """

    def __init__(self, model, settings: Search):
        self.model, self.settings = model, settings
        self._run = compiled(self._search(model), model)

    def _search(self, model):
        if self.settings.temperature:
            return lambda source, draws: sample(model, source, draws, self.settings)
        return lambda source: beam_search(model, source, self.settings)

    def __call__(
        self, source: np.ndarray, seed: int = 0, shown: int | None = None
    ) -> Hypotheses:
        """Decode the ids (B, S); ``seed`` decides what sampling draws.

        ``shown``: of how many sources, from the first, a capture shows the attention;
        by default of all.
        """
        source = np.asarray(source, dtype="int32")
        tensors = [ops.convert_to_tensor(source)]
        if self.settings.temperature:
            shape = (self.settings.max_length, len(source))
            draws = np.random.default_rng(seed).random(shape, dtype="float32")
            tensors.append(ops.convert_to_tensor(draws))
        with unrecorded():  # compiled code would go on telling
            found = self._run(*tensors)
        found = keras.tree.map_structure(ops.convert_to_numpy, found)
        if found.pop("overflow"):
            raise ValueError(
                "the model's initial_state(memory, length) must have room for length "
                f"ids. A cache was full before {self.settings.max_length}."
            )
        hypotheses = Hypotheses(**found)
        self._show(source[:shown], hypotheses)
        return hypotheses

    def _show(self, source, found):
        """Let whoever listens see the model go along the best hypotheses."""
        inside = getattr(self.model, "_flatten_layers", None)
        if inside is None or not any(map(recorders, inside())):
            return
        longest = found.lengths[: len(source), 0].max()
        ids = found.ids[: len(source), 0, :longest]
        first = np.full((len(source), 1), self.settings.start, "int32")
        before = np.concatenate([first, ids[:, :-1]], axis=1)
        inputs = tuple(map(ops.convert_to_tensor, (source, before)))
        self.model(inputs, training=False)
