"""What two looks do not have in common."""

import math
from dataclasses import replace

import keras
from keras import ops

from regard.core.norms.rms import rms
from regard.core.scores import widen
from regard.layers.heads.blended import BlendedHeads


@keras.saving.register_keras_serializable("regard")
class DifferentialAttention(BlendedHeads):
    r"""Every head looks twice and subtracts: noise that both looks share cancels.

    $a_h = \mathrm{softmax}(s_h) - \lambda\,\mathrm{softmax}(s'_h),\quad
    y = \mathrm{concat}_h\big((1 - \lambda_0)\,\mathrm{RMS}(a_h V_h)\big) W^O$

    $\lambda = e^{q_1 \cdot k_1} - e^{q_2 \cdot k_2} + \lambda_0$ with learned vectors
    (key_dim,), the same for all heads. Rows of weights sum to $1 - \lambda$ and may be
    negative. Queries and keys have 2H heads, the second looks behind all first ones;
    values are 2 key_dim wide by default. Output (B, T, Dq) or (B, T, output_shape);
    weights (B, H, T, S).

    Ye et al. 2024, "Differential Transformer", arXiv:2410.05258, section 2.1.

    Args:
        num_heads: H, pairs of looks; key_dim: width of one look.
        value_dim: by default 2 key_dim, so that H heads cost as much as 2H plain ones.
        depth: which layer of the stack this is, from 1: the paper sets
            $\lambda_0 = 0.8 - 0.6\,e^{-0.3 (depth - 1)}$.
        lambda_start: $\lambda_0$ itself, instead of depth.
        norm_gain: learn a gain (value_dim,) after the norm, as the authors' code does.
        epsilon: of the norm.
        options: use_bias, output_shape and all else that layers with heads take;
            num_key_value_heads counts pairs.

    Raises:
        ValueError: for a depth below 1, and as ``MultiHeadAttention`` does.
    """

    mechanism = "differential"
    maps_per_head = 2

    def __init__(
        self,
        num_heads,
        key_dim,
        depth=1,
        lambda_start=None,
        norm_gain=True,
        epsilon=1e-5,
        **options,
    ):
        if options.get("value_dim") is None:
            options["value_dim"] = 2 * key_dim
        super().__init__(num_heads, key_dim, **options)
        if not depth >= 1:
            raise ValueError(
                f"depth must be at least 1, the first layer. Got {depth!r}."
            )
        self.depth, self.lambda_start = depth, lambda_start
        self.norm_gain, self.epsilon = bool(norm_gain), float(epsilon)

    @property
    def first_lambda(self):
        """Lambda before the learned vectors have a say."""
        if self.lambda_start is not None:
            return float(self.lambda_start)
        return 0.8 - 0.6 * math.exp(-0.3 * (self.depth - 1))

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        self.lambdas = [
            self.add_weight(
                (self.key_dim,),
                keras.initializers.RandomNormal(stddev=0.1, seed=self.seed).clone(),
                name=f"lambda_{name}",
            )
            for name in ("query_1", "key_1", "query_2", "key_2")
        ]
        if self.norm_gain:
            self.gain = self.add_weight((self.value_dim,), "ones", name="norm_gain")

    def used_lambda(self):
        """The number that second looks are multiplied by."""
        query, key, other_query, other_key = (
            widen(ops.convert_to_tensor(each)) for each in self.lambdas
        )
        first, second = ops.sum(query * key), ops.sum(other_query * other_key)
        return ops.exp(first) - ops.exp(second) + self.first_lambda

    def recipe(self):
        weights = (self.used_lambda(),)
        return replace(super().recipe(), blend=difference, blend_parameters=weights)

    def merge(self, context, query):
        normed = rms(context, self.epsilon) * (1.0 - self.first_lambda)
        if self.norm_gain:
            normed = normed * widen(ops.convert_to_tensor(self.gain))
        return super().merge(ops.cast(normed, context.dtype), query)

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "lambda_start": self.lambda_start,
            "norm_gain": self.norm_gain,
            "epsilon": self.epsilon,
        }


def difference(maps, share):
    """First looks (B, 2H, T, S)[:, :H] without ``share`` of the second."""
    heads = maps.shape[1] // 2
    return maps[:, :heads] - share * maps[:, heads:]
