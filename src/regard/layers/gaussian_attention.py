"""Attention by distance: a Gaussian kernel around every query."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.attention import Attention
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class GaussianAttention(Attention):
    r"""$s_{ij} = -\lVert q_i - k_j \rVert^2 / (2\sigma^2)$: the nearest keys are read.

    Under softmax the output is the Nadaraya-Watson regression of the values on the
    keys. $\sigma = e^w$ with one weight ``w`` (), so it stays positive whatever
    training does; query and key need the same width D. Output (B, T, Dv).

    Nadaraya 1964, Watson 1964; as attention: Tsai et al. 2019, "Transformer
    dissection", arXiv:1908.11775.

    Args:
        sigma: the width of the kernel, or where it starts.
        learn_sigma: make it a weight.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where sigma is not positive or query and key differ in width.
    """

    mechanism = "gaussian"

    def __init__(self, sigma=1.0, learn_sigma=True, **options):
        super().__init__(**options)
        if not sigma > 0:
            raise ValueError(f"sigma must be positive. Got {sigma!r}.")
        self.sigma = float(sigma)
        self.learn_sigma = bool(learn_sigma)

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, query_width, key_width)
        self.pairwise_width = query_width
        if self.learn_sigma:
            start = keras.initializers.Constant(
                float(ops.convert_to_numpy(ops.log(self.sigma)))
            )
            self.log_sigma = self.add_weight((), name="log_sigma", initializer=start)

    def recipe(self):
        if self.learn_sigma:
            logarithm = scores.widen(ops.convert_to_tensor(self.log_sigma))
            precision = ops.exp(-2.0 * logarithm)
        else:
            precision = ops.full((), self.sigma**-2.0, dtype="float32")
        parameters = (precision,)
        return Recipe(scores.gaussian, self.normalizer, parameters, self.pairwise_width)

    def get_config(self):
        return {
            **super().get_config(),
            "sigma": self.sigma,
            "learn_sigma": self.learn_sigma,
        }
