"""What ``regard.plan`` predicts, beside what was measured, and what it cannot plan.

The numbers are growths of a process in a forward call, measured as ``benchmarks`` does.
"""

import pytest

import regard
from regard import layers


@pytest.mark.backend("torch")  # elsewhere compilers fuse what a normalizer does
@pytest.mark.parametrize(
    ("normalizer", "length", "megabytes"),
    [
        ("sigmoid", 512, 25.9),
        ("entmax15", 512, 42.8),
        ("top_k", 1024, 144.0),
        ("entmax", 1024, 278.9),
        ("sinks", 512, 27.9),
    ],
)
def test_predicted_memory_of_normalizers_is_what_was_measured(
    normalizer, length, megabytes
):
    layer = regard.layers.MultiHeadAttention(4, 16, normalizer=normalizer)
    found = regard.plan(layer, (2, length, 64)).bytes
    assert found == pytest.approx(megabytes * 1e6, rel=0.1)


@pytest.mark.backend("torch")
@pytest.mark.parametrize(
    ("length", "megabytes"),
    [(256, 3.5), (512, 6.2), (1024, 19.8), (2048, 73.3), (4096, 67.5)],
)
def test_predicted_memory_of_additive_scores_is_what_was_measured(length, megabytes):
    layer = regard.layers.AdditiveAttention(128)
    found = regard.plan(layer, (2, length, 128)).bytes
    assert found == pytest.approx(megabytes * 1e6, rel=0.1)


@pytest.mark.parametrize(
    "layer",
    [
        layers.CausalLinearAttention(2, 4),
        layers.AttentionPooling(),
        layers.NonLocalAttention(),
        layers.LinformerAttention(2, 4, rows=3, maximum_length=8),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_what_cannot_be_planned_is_told(layer):
    named = rf"layer must be an attention over .*Got {type(layer).__name__}\. Recur"
    with pytest.raises(ValueError, match=named):
        regard.plan(layer, (2, 8, 4))


def test_the_attention_inside_a_layer_is_planned():
    (columns,) = layers.AxialAttention(2, 4, axes=("height",)).attentions
    assert regard.plan(columns, (2, 8, 4)).bytes > 0
