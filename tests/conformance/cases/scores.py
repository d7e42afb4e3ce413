"""One head, one score."""

from functools import partial

from regard import Window, layers
from tests.conformance.kinds import EQUAL, MEMORY, PLACED, SOFT, VARIANT, soft
from tests.reference.additive import additive
from tests.reference.concat import concat
from tests.reference.cosine import cosine
from tests.reference.dot import dot
from tests.reference.general import general
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
]
