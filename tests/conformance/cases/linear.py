"""Scores that are products of features."""

from functools import partial

from regard import features, layers, positions
from tests.conformance.kinds import MEMORY, VARIANT, soft
from tests.reference import linear as reference


def products(name, feature, expected=None, xfail=None, **options):
    """Linear attention with a feature map."""
    tags = MEMORY - {"distribution"} if name == "linear" else VARIANT
    options = {"feature_map": feature, **options}
    expected = expected or partial(reference.linear, feature=getattr(reference, name))
    make = partial(layers.LinearAttention, 2, 3, **options)
    return soft(name, make, expected, tags=tags, xfail=xfail or {})


CASES = [
    products("linear", "elu", reference.linear),
    products("taylor", "taylor", value_dim=5),
    products(
        "random",
        features.RandomFeatures(5, epsilon=0.0, shared_maximum=False, seed=3),
    ),
    products(
        "random_shared_maximum",
        features.RandomFeatures(5, epsilon=1e-4, seed=3),
        partial(
            reference.linear,
            feature=reference.published_query,
            of_keys=reference.published_key,
        ),
        use_bias=False,
        xfail={
            "gradient_matches_central_differences": "the largest projection is taken "
            "off without a gradient, as in the authors' code, which epsilon shows"
        },
    ),
    products("efficient", "efficient", reference.efficient, use_bias=False),
    products(
        "cosine_reweighting",
        "relu",
        partial(reference.linear, feature=reference.relu, length=8),
        position=positions.CosineReweighting(8),
    ),
]
