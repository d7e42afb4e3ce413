"""One head, one score."""

from functools import partial

import numpy as np

from regard import Window, layers
from tests.conformance.case import Sizes
from tests.conformance.kinds import (
    EQUAL,
    MEMORY,
    PLACED,
    ROW_SHIFT,
    SOFT,
    VARIANT,
    soft,
)
from tests.reference.additive import additive
from tests.reference.biaffine import biaffine
from tests.reference.concat import concat
from tests.reference.convolutional import convolutional
from tests.reference.cosine import cosine
from tests.reference.dot import dot
from tests.reference.gaussian import gaussian
from tests.reference.general import general
from tests.reference.linear_score import differing, trilinear
from tests.reference.location import location
from tests.reference.normalizers import entmax15, sparsemax
from tests.reference.scaled_dot import scaled_dot

CASES = [
    soft("additive", partial(layers.AdditiveAttention, 8), additive),
    soft(
        "additive_normalized",
        partial(layers.AdditiveAttention, 8, normalize=True),
        additive,
        tags=VARIANT,
    ),
    soft(
        "additive_entmax15",
        partial(layers.AdditiveAttention, 8, use_bias=True, normalizer="entmax15"),
        partial(additive, normalizer=entmax15),
        tags=MEMORY,
    ),
    soft("dot", layers.DotAttention, dot, sizes=EQUAL),
    soft(
        "dot_window",
        partial(layers.DotAttention, scope=Window(1, 2)),
        dot,
        sizes=EQUAL,
        sees=lambda query, key: query - 1 <= key <= query + 2,
        tags=PLACED | SOFT,
    ),
    soft("scaled_dot", layers.ScaledDotAttention, scaled_dot, sizes=EQUAL),
    soft(
        "scaled_dot_learned",
        partial(layers.ScaledDotAttention, learn_scale=True, normalizer="sparsemax"),
        partial(scaled_dot, normalizer=sparsemax),
        sizes=EQUAL,
        tags=VARIANT,
    ),
    soft("general", layers.GeneralAttention, general),
    soft("concat", partial(layers.ConcatAttention, 8), concat),
    soft(
        "location",
        partial(layers.LocationAttention, 9),
        location,
        tags=PLACED | SOFT,
    ),
    soft(
        "location_bias",
        partial(layers.LocationAttention, 9, use_bias=True),
        location,
        tags=VARIANT,
    ),
    soft("cosine", layers.CosineAttention, cosine, sizes=EQUAL),
    soft("gaussian", layers.GaussianAttention, gaussian, sizes=EQUAL),
    soft(
        "gaussian_fixed",
        partial(layers.GaussianAttention, sigma=1.5, learn_sigma=False),
        partial(gaussian, sigma=1.5),
        sizes=EQUAL,
        tags=VARIANT,
    ),
    soft("biaffine", layers.BiaffineAttention, biaffine),
    soft(
        "biaffine_tanh",
        partial(layers.BiaffineAttention, activation="tanh"),
        partial(biaffine, activation=np.tanh),
        tags=VARIANT,
    ),
    soft(
        "linear_score",
        layers.LinearScoreAttention,
        trilinear,
        sizes=EQUAL,
        still={"bias": ROW_SHIFT},
    ),
    soft(
        "linear_score_of_differences",
        partial(
            layers.LinearScoreAttention,
            combination="y-x, y/x, x*x",
            activation="tanh",
            use_bias=False,
        ),
        differing,
        sizes=EQUAL,
        tags=VARIANT,
    ),
    soft(
        "convolutional",
        layers.ConvolutionalAttention,
        convolutional,
        sizes=Sizes(query_width=10, key_width=6, value_width=6),
    ),
]
