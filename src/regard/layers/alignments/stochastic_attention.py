"""Hard attention: one key is drawn and read."""

import keras
from keras import ops

from regard.core.alignments.drawing import drawn, gumbel
from regard.layers.alignments.additive_alignment import AdditiveAlignment


@keras.saving.register_keras_serializable("regard")
class StochasticAttention(AdditiveAlignment):
    r"""$z_i \sim \mathrm{Categorical}(a_i),\quad c_i = v_{z_i}$ with additive scores.

    $a_i = \mathrm{softmax}_j\, v^\top \tanh(W q_i + U k_j + b)$

    ``W`` (Dq, units), ``U`` (Dk, units), ``v`` and ``b`` (units,). In training one key
    is drawn for each query, otherwise the context is the expected one. The weights
    returned are what was mixed. Output (B, T, Dv).

    A draw has no gradient. The state sums $\ln p(z)$ and the entropy of what was drawn
    from over the steps, ``log_probability`` and ``entropy`` (B, 1), zeros at the start;
    ask for it with ``state={}`` in a call, or ``return_state`` of a decoder, and give
    it to ``regard.losses.score_function_loss`` with the reward.

    Xu et al. 2015, "Show, attend and tell: neural image caption generation with visual
    attention", arXiv:1502.03044, section 4.

    Args:
        units: width of the space in which queries and keys are compared.
        inference: "expected", or "likeliest": then the likeliest key alone is read.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of the kernels.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where an argument is not one of these, or a position is given.
    """

    mechanism = "stochastic"

    def __init__(self, units, inference="expected", **options):
        super().__init__(units, **options)
        if not self.normalizer.distribution:
            raise ValueError(
                "normalizer must give distributions, from which a key can be drawn. "
                f"Got {self.normalizer!r}."
            )
        if inference not in ("expected", "likeliest"):
            raise ValueError(
                f'inference must be "expected" or "likeliest". Got {inference!r}.'
            )
        self.inference = inference
        self.noise_generator = keras.random.SeedGenerator(self.seed)

    def draw_noise(self, shape, training):
        if not training:
            return None
        return gumbel(keras.random.uniform(shape, seed=self.noise_generator))

    def begin(self, memory):
        zeros = ops.zeros((ops.shape(memory["mask"])[0], 1), "float32")
        return {"log_probability": zeros, "entropy": zeros}

    def align(self, look, state):
        scores = self.score(look)
        chances = self.normalized(scores, look)
        extra = {"scores": scores, "probabilities": chances}
        if look.noise is None and self.inference == "expected":
            return chances, state, extra
        noise = ops.zeros_like(chances) if look.noise is None else look.noise
        weights, log_probability, entropy = drawn(chances, noise, look.seen)
        after = {
            "log_probability": state["log_probability"] + log_probability[:, 0],
            "entropy": state["entropy"] + entropy[:, 0],
        }
        # PyTorch refuses to train what has no gradient at all, so this one is zero.
        weights = weights + 0.0 * chances
        extra["log_probability"] = ops.expand_dims(log_probability, -1)
        return weights, after, extra

    def get_config(self):
        return {**super().get_config(), "inference": self.inference}
