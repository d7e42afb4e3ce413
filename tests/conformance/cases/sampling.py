"""Reading images between their pixels."""

from functools import partial

from regard import layers
from tests.conformance.case import Case
from tests.conformance.kinds import GATE, over_image
from tests.reference import sampling
from tests.reference.normalizers import sparsemax


def deformable(name, references=2, **options):
    chosen = {k: v for k, v in options.items() if k != "value_dim"}
    if options.get("normalizer") == "sparsemax":
        chosen["normalizer"] = sparsemax
    return Case(
        name,
        partial(layers.DeformableAttention, 2, 2, **options),
        partial(sampling.deformable, **chosen),
        arguments=("query", "value", "reference_points"),
        memory=("value",),
        queries=None,
        layout=lambda s: {
            "query": (s.batch, s.query, s.query_width),
            "value": (s.batch, s.key, 3, s.value_width),
            "reference_points": (s.batch, s.query, references),
        },
        free={"query": (1,), "value": (1,), "reference_points": (1,)},
        places=2,
        tags=GATE,
    )


def transformer(name, **options):
    return over_image(
        name,
        partial(layers.SpatialTransformer, **options),
        partial(sampling.spatial_transformer, **options),
        tags=frozenset({"lengths"}),
    )


CASES = [
    deformable("deformable"),
    deformable("deformable_boxes", references=4, value_dim=3, align_corners=True),
    deformable("deformable_sparse", normalizer="sparsemax"),
    transformer("spatial_transformer"),
    transformer("spatial_transformer_aligned", size=(2, 3), align_corners=True),
]
