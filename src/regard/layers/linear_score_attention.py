"""Attention by a linear function of combined features."""

import keras
from keras import ops

from regard.core import combinations, scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions


@keras.saving.register_keras_serializable("regard")
class LinearScoreAttention(Attention):
    r"""$s_{ij} = f(w^\top [x; y; x \odot y] + b)$ for the query x and the key y.

    ``combination`` names what is joined: ``x`` (the query), ``y`` (the key) and pairs
    of them, ``x*y``, ``x+y``, ``x-y``, ``x/y``; a pair with both needs equal widths.
    ``w`` has one number per feature, ``b`` is (1,), $f$ the identity. "x,y,x*y" is the
    trilinear score of BiDAF. Output (B, T, Dv).

    The features of a pair are never built: every term splits into what the query and
    what the key give, so a pair costs one inner product. Without $f$ softmax cancels
    ``x`` and ``b``. A division by 0 gives 0.

    Seo et al. 2017, "Bidirectional attention flow for machine comprehension",
    arXiv:1611.01603 (there without ``b``).

    Args:
        combination: the features, separated by commas.
        activation: f, of the scores before they are masked and normalized.
        use_bias: add ``b``.
        kernel_initializer, kernel_regularizer, kernel_constraint: of w.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: for an unknown term, or widths that a term cannot join.
    """

    mechanism = "linear_score"

    def __init__(
        self,
        combination="x,y,x*y",
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.combination = str(combination)
        self.terms = combinations.parse(self.combination)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        self.widths = combinations.widths(self.terms, query_width, key_width)
        shape = (sum(self.widths),)
        options = self.weight_options.for_kernel()
        self.kernel = self.add_weight(shape, name="kernel", **options)
        if self.use_bias:
            self.bias = self.add_weight((1,), name="bias", initializer="zeros")

    def parts_of_kernel(self):
        """w, cut into one piece per term."""
        kernel, start, parts = ops.convert_to_tensor(self.kernel), 0, []
        for width in self.widths:
            parts.append(kernel[start : start + width])
            start += width
        return parts

    def project_query(self, query):
        return with_head(
            combinations.for_query(query, self.terms, self.parts_of_kernel())
        )

    def project_memory(self, key, value):
        keys = combinations.for_key(key, self.terms, self.parts_of_kernel())
        if self.use_bias:  # rides on the number that the key gives alone
            keys = ops.concatenate([keys[..., :-1], keys[..., -1:] + self.bias], -1)
        return with_head(keys), with_head(value)

    def recipe(self):
        return Recipe(scores.activated(self.activation), self.normalizer)

    def head_width(self, query_width):
        products = ("x*y", "y*x", "x/y", "y/x")
        pairs = zip(self.terms, self.widths, strict=True)
        return 2 + sum(width for term, width in pairs if term in products)

    def get_config(self):
        return {
            **super().get_config(),
            "combination": self.combination,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
