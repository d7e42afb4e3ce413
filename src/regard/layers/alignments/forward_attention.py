"""Forward attention: at every step the alignment stays, or moves on by one key."""

from dataclasses import replace

import keras
from keras import ops

from regard.core.alignments.forward import forward_alignment
from regard.core.alignments.history import convolved, start_at
from regard.core.scores import widen
from regard.layers.alignments.additive_alignment import AdditiveAlignment
from regard.layers.alignments.location_sensitive_attention import check_kernel_size
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class ForwardAttention(AdditiveAlignment):
    r"""$a_{ij} \propto \big((1 - u_i)\, a_{i-1,j} + u_i\, a_{i-1,j-1}\big)\, y_{ij}$.

    $y_i = \mathrm{softmax}_j\, v^\top \tanh(W q_i + U k_j + V (F * a_{i-1})_j + b)$

    ``W`` (Dq, units), ``U`` (Dk, units), ``v`` and ``b`` (units,); with ``filters``
    the weights before enter the scores by location, ``F`` (kernel_size, 1, filters) and
    ``V`` (filters, units). ``u`` is 1/2; with ``transition_agent`` it is learned,
    $u_{i+1} = \sigma(w_c\, c_i + w_q\, q_i + b_u)$ from what was read and asked, and
    1/2 at the first step. State: ``alignment`` (B, 1, S), at first all on the first
    real key, and ``move`` (B, 1, 1) with the agent. Output (B, T, Dv).

    Zhang, Ling, Dai 2018, "Forward attention in sequence-to-sequence acoustic modeling
    for speech synthesis", arXiv:1807.06736. Every real key keeps
    at least 1e-6 before the row is brought back to a sum of one, so that no alignment
    dies out. What the agent shall know besides, append it to the query.

    Args:
        units: width of the space in which queries and keys are compared.
        filters, kernel_size: of the features by location; None for none.
        transition_agent: learn how much the alignment moves.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer of y, scope, dropout, seed) and layer.

    Raises:
        ValueError: where an argument is not one of these, or a position is given.
    """

    mechanism = "forward"

    def __init__(
        self,
        units,
        filters=None,
        kernel_size=31,
        transition_agent=False,
        **options,
    ):
        super().__init__(units, **options)
        self.filters = None if filters is None else check_units("filters", filters)
        self.kernel_size = check_kernel_size(kernel_size)
        self.transition_agent = bool(transition_agent)

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        if self.filters:
            shape = (self.kernel_size, 1, self.filters)
            self.filter_kernel = self.add_kernel("filter_kernel", shape)
            shape = (self.filters, self.units)
            self.feature_kernel = self.add_kernel("feature_kernel", shape)
        if self.transition_agent:
            shape = (value_width, 1)
            self.agent_context_kernel = self.add_kernel("agent_context_kernel", shape)
            shape = (query_width, 1)
            self.agent_query_kernel = self.add_kernel("agent_query_kernel", shape)
            self.agent_bias = self.add_weight(
                (1,), name="agent_bias", initializer="zeros"
            )

    def project_query(self, query):
        projected = super().project_query(query)
        if not self.transition_agent:
            return projected
        asked = ops.matmul(query, self.agent_query_kernel) + self.agent_bias
        return ops.concatenate([projected, ops.expand_dims(asked, 1)], axis=-1)

    def begin(self, memory):
        start = start_at(memory["mask"], "first")
        if not self.transition_agent:
            return {"alignment": start}
        return {"alignment": start, "move": ops.full_like(start[..., :1], 0.5)}

    def align(self, look, state):
        previous, features = state["alignment"], None
        if self.filters:
            features = convolved(previous, ops.convert_to_tensor(self.filter_kernel))
            features = ops.matmul(features, widen(self.feature_kernel))
            features = ops.expand_dims(features, 1)
        scores = self.score(look, features)
        chosen = self.normalized(scores, look)
        move = ops.expand_dims(state["move"], 2) if self.transition_agent else None
        previous = ops.expand_dims(previous, 2)
        weights = forward_alignment(chosen, previous, look.seen, move)
        extra = {"scores": scores, "chosen": chosen, "previous": previous}
        if self.transition_agent:
            extra["move"] = move
        return weights, {**state, "alignment": weights[:, :, 0]}, extra

    def settle(self, look, context, state):
        if not self.transition_agent:
            return state
        read = ops.matmul(context, self.agent_context_kernel)
        move = ops.sigmoid(widen(read) + widen(look.query[..., -1:]))
        return {**state, "move": move[:, :, 0]}

    def score(self, look, features=None):
        if self.transition_agent:
            look = replace(look, query=look.query[..., :-1])
        return super().score(look, features)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "transition_agent": self.transition_agent,
        }
