"""Beam search over a wrapper or a cell."""

from typing import Any, NamedTuple

import keras
from keras import ops

from regard.compat.reader import register
from regard.compat.tfa_seq2seq.stepping import Steps, embedder
from regard.compat.tfa_seq2seq.wrapper_parts import revived
from regard.layers.decoder_parts import as_layer
from regard.layers.weights import check_units
from regard.models.beam import beam_search
from regard.models.search import Search

__all__ = [
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "FinalBeamSearchDecoderOutput",
]


class BeamSearchDecoderOutput(NamedTuple):
    """``scores`` (B, K), by which hypotheses are ranked, and ``log_probs`` (B, K)."""

    scores: Any
    log_probs: Any


class FinalBeamSearchDecoderOutput(NamedTuple):
    """``predicted_ids`` (B, T, K), the best first, and the scores."""

    predicted_ids: Any
    beam_search_decoder_output: Any


@register("tfa_seq2seq")
class BeamSearchDecoder(keras.layers.Layer):
    r"""Keeps the ``beam_width`` best sequences at every step.

    $\frac{\log p}{((5 + n) / 6)^\alpha} + \beta \sum_s \log \min(\sum_t a_{ts}, 1)$
    ranks them; $\alpha$ and $\beta$ are the two weights. Memory, lengths and states are
    those of the examples: they are repeated for the beams here, so there is nothing to
    tile. Returns ``FinalBeamSearchDecoderOutput(predicted_ids, (scores, log_probs))``,
    the alignments (B, K, T, S) of the hypotheses, and their lengths (B, K).

    Wu et al. 2016, arXiv:1609.08144, section 7, equation 14. Unlike in the original
    the coverage counts at the end, when the hypotheses are ranked. After its end a
    hypothesis holds end tokens.

    Args:
        cell: an ``AttentionWrapper`` or a Keras cell.
        beam_width: hypotheses for each example.
        embedding_fn: a layer or function from ids to inputs; None takes a matrix (V, E)
            as the first argument of the call.
        output_layer: applied to every output, giving logits.
        length_penalty_weight: $\alpha$.
        coverage_penalty_weight: $\beta$, with an ``AttentionWrapper``.
        maximum_iterations: steps at most.

    Call arguments:
        embedding: (V, E) or None; start_tokens: (B,); end_token: a number.
        memory, memory_sequence_length, memory_mask, initial_state: as for
            ``BasicDecoder``, without beams.

    Raises:
        ValueError: for a width that is not a positive integer, a negative weight, or a
            missing embedding, memory or start_tokens.
    """

    def __init__(
        self,
        cell,
        beam_width,
        embedding_fn=None,
        output_layer=None,
        length_penalty_weight=0.0,
        coverage_penalty_weight=0.0,
        maximum_iterations=64,
        **options,
    ):
        super().__init__(**options)
        self.steps = Steps(cell)
        self.cell = self.steps.cell
        self.beam_width = check_units("beam_width", beam_width)
        self.embedding_fn = revived(embedding_fn)
        self.output_layer = as_layer(output_layer)
        self.length_penalty_weight = float(length_penalty_weight)
        self.coverage_penalty_weight = float(coverage_penalty_weight)
        self.maximum_iterations = check_units("maximum_iterations", maximum_iterations)
        self._settings(0, 1)

    def _settings(self, start, end):
        """How our search is set; checks the weights."""
        return Search(
            beam=self.beam_width,
            length_alpha=self.length_penalty_weight,
            coverage_beta=self.coverage_penalty_weight,
            max_length=self.maximum_iterations,
            start=start,
            end=end,
            forbidden=(),
        )

    def call(
        self,
        embedding=None,
        memory=None,
        memory_sequence_length=None,
        memory_mask=None,
        initial_state=None,
        start_tokens=None,
        end_token=None,
    ):
        if start_tokens is None or end_token is None:
            raise ValueError(
                "start_tokens and end_token must be given, the ids (B,) to begin with "
                "and the id that ends a sequence."
            )
        embed = embedder(embedding, self.embedding_fn)
        tokens = ops.convert_to_tensor(start_tokens, dtype="int32")
        width = embed(tokens[:1]).shape[-1]
        self.steps.build(width, memory)
        if self.output_layer is not None and not self.output_layer.built:
            self.output_layer.build((None, self.steps.output_width))
        prepared = self.steps.prepare(memory, memory_sequence_length, memory_mask)
        state = self.steps.start(prepared, initial_state, ops.shape(tokens)[0])
        model = _Model(self, embed, tokens, prepared, state)
        found = beam_search(model, model.places(), self._settings(-1, int(end_token)))
        ids = ops.swapaxes(found["ids"], 1, 2)  # (B, T, K)
        steps = ops.arange(self.maximum_iterations, dtype="int32")[None, :, None]
        past = steps >= ops.expand_dims(found["lengths"], 1)
        ids = ops.where(past, ops.full_like(ids, int(end_token)), ids)
        scores = BeamSearchDecoderOutput(found["scores"], found["log_probabilities"])
        output = FinalBeamSearchDecoderOutput(ids, scores)
        return output, found["alignments"][:, :, 0], found["lengths"]

    def get_config(self):
        function = self.embedding_fn
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": serialize(self.cell),
            "beam_width": self.beam_width,
            "embedding_fn": None if function is None else serialize(function),
            "output_layer": self.output_layer and serialize(self.output_layer),
            "length_penalty_weight": self.length_penalty_weight,
            "coverage_penalty_weight": self.coverage_penalty_weight,
            "maximum_iterations": self.maximum_iterations,
        }


class _Model:
    """What our search asks of a model: encode, initial_state and step."""

    def __init__(self, decoder, embed, tokens, memory, state):
        self.decoder, self.embed, self.tokens = decoder, embed, tokens
        self.memory, self.state = memory, state

    def places(self):
        """(B, S), 1 at real places of the memory; one place without a memory."""
        if not self.memory:
            return ops.ones((ops.shape(self.tokens)[0], 1), dtype="int32")
        masks = [ops.cast(each["mask"], "int32") for each in self.memory]
        return ops.concatenate(masks, axis=-1)

    def encode(self, source):
        return {"cell": self.memory, "state": self.state, "tokens": self.tokens}

    def initial_state(self, memory, length=None):
        """The start token of an example travels with its state until it is read."""
        return {"cell": memory["state"], "first": memory["tokens"]}

    def step(self, tokens, memory, state):
        tokens = ops.where(tokens < 0, state["first"], tokens)
        inputs = self.embed(tokens)
        found = self.decoder.steps.step(inputs, memory["cell"], state["cell"], False)
        output, weights, after = found
        if self.decoder.output_layer is not None:
            output = self.decoder.output_layer(output)
        return output, weights, {**state, "cell": after}
