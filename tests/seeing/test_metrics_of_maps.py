"""Measures of maps and scores against numbers counted by hand and other packages."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard.seeing import metrics
from regard.seeing.map_measures import effective_positions, jensen_shannon
from regard.seeing.metrics import norms, rationales

RNG = np.random.default_rng(0)


def maps(*shape):
    """Random rows that sum to 1."""
    powers = np.exp(RNG.normal(size=shape) * 2)
    return powers / powers.sum(-1, keepdims=True)


def test_the_invariants_of_entropy_and_divergence():
    assert_allclose(effective_positions(np.full((2, 7), 1 / 7)), 7)
    assert_allclose(jensen_shannon(np.eye(2)[0], np.eye(2)[1]), np.log(2))


def test_an_interval_is_narrower_with_more_examples_and_drops_nan():
    values = RNG.normal(3, 1, size=400)
    few, many = metrics.bootstrap(values[:25]), metrics.bootstrap(values)
    assert many.low < values.mean() < many.high
    # The standard error of the mean is 1/√400 = 0.05; 1.96 of it to each side.
    assert_allclose(many.high - many.low, 2 * 1.96 * 0.05, rtol=0.15)
    assert few.high - few.low > 2 * (many.high - many.low)
    assert metrics.bootstrap(np.array([1.0, np.nan, 3.0])).n == 2
    assert metrics.bootstrap(np.array([np.nan])).n == 0
    assert str(metrics.bootstrap(np.ones(3))) == "1.000 [1.000, 1.000], n = 3"


def test_a_paired_interval_leaves_out_what_examples_have_in_common():
    common = RNG.normal(0, 10, size=50)
    found = metrics.paired(common + 1, common)
    assert_allclose([found.low, found.high], 1)
    with pytest.raises(ValueError, match="second must hold"):
        metrics.paired(np.ones(3), np.ones(4))


def test_spans_counted_by_hand():
    weights = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.1, 0.0, 0.9]])
    assert_allclose(metrics.mean_distance(weights), [0.7, 0, 0.2])
    assert_allclose(metrics.mean_offset(weights), [0.7, 0, -0.2])
    assert_allclose(metrics.span(weights), [2, 0, 0])
    assert_allclose(metrics.span(weights, mass=0.8), [1, 0, 0])
    assert_allclose(metrics.uniform_distance(np.ones((3, 3), bool)), [1, 2 / 3, 1])
    allowed = np.tril(np.ones((3, 3), bool))
    assert_allclose(metrics.uniform_distance(allowed), [0, 0.5, 1])
    assert_allclose(metrics.mean_distance(weights, allowed), [0, 0, 0.2])


def test_another_length_is_measured_from_the_monotone_place():
    weights = np.eye(5)[[0, 2, 4]]  # three rows that walk through five columns
    assert_allclose(metrics.mean_distance(weights), 0)
    assert_allclose(metrics.span(weights), 0)


def test_rollout_is_the_product_of_half_the_map_and_half_the_residual():
    layers = [maps(2, 4, 6, 6) for _ in range(3)]
    halves = [layer.mean(1) / 2 + np.eye(6) / 2 for layer in layers]
    expected = halves[2] @ halves[1] @ halves[0]
    found = metrics.rollout(layers)
    assert_allclose(found, expected)
    assert_allclose(found.sum(-1), 1)
    assert_allclose(metrics.rollout([layer[1] for layer in layers]), expected[1])


def test_rollout_over_uniform_is_one_where_the_maps_are_uniform():
    mask = np.tril(np.ones((1, 1, 5, 5), bool))
    even = np.broadcast_to(mask / mask.sum(-1, keepdims=True), (2, 3, 5, 5))
    found = metrics.over_uniform([even, even], [mask, mask])
    assert_allclose(found, np.broadcast_to(mask[:, 0], (2, 5, 5)))


def test_cross_rollout_rows_sum_to_one():
    decoder, cross, encoder = maps(2, 2, 3, 3), maps(2, 2, 3, 5), maps(2, 2, 5, 5)
    found = metrics.cross_rollout([decoder], cross, [encoder, encoder])
    direct = metrics.rollout([decoder]) @ cross.mean(1)
    assert_allclose(found, direct @ metrics.rollout([encoder, encoder]))
    assert_allclose(found.sum(-1), 1)


def test_flow_is_that_of_scipy():
    graphs = pytest.importorskip("scipy.sparse.csgraph")
    sparse = pytest.importorskip("scipy.sparse")
    layers, scale = [maps(2, 4, 4) for _ in range(3)], 10_000_000
    capacity = np.zeros((16, 16), "int32")
    for level, layer in enumerate(layers):
        pipe = layer.mean(0) / 2 + np.eye(4) / 2
        rows = slice(4 * level + 4, 4 * level + 8)
        capacity[rows, 4 * level : 4 * level + 4] = np.round(pipe * scale)
    found, graph = metrics.attention_flow(layers), sparse.csr_array(capacity)
    for i, j in np.ndindex(4, 4):
        expected = graphs.maximum_flow(graph, 12 + i, j).flow_value / scale
        assert_allclose(found[i, j], expected, atol=1e-5)
    one = metrics.attention_flow(layers[:1])
    assert_allclose(one, metrics.rollout(layers[:1]))


def test_flow_is_for_small_inputs():
    with pytest.raises(ValueError, match="at most 400"):
        metrics.attention_flow([np.ones((1, 101, 101))] * 4)
    with pytest.raises(ValueError, match="one T in all"):
        metrics.attention_flow([])


@pytest.mark.parametrize("wrong", [[], [np.ones((3, 4, 5))], [np.ones((2, 2))]])
def test_rollout_says_what_it_takes(wrong):
    with pytest.raises(ValueError, match="weights must"):
        metrics.rollout(wrong)


def test_norms_by_products_are_those_of_the_vectors():
    weights, vectors = maps(2, 3, 4, 5), RNG.normal(size=(2, 3, 5, 7))
    table = np.einsum("bhts,bhso->btso", weights, vectors)
    direct = np.linalg.norm(table, axis=-1)
    assert_allclose(metrics.contribution_norms(weights, vectors), direct, atol=1e-13)
    one = np.linalg.norm(weights[..., None] * vectors[:, :, None], axis=-1)
    assert_allclose(metrics.head_norms(weights, vectors), one)
    assert norms.output_kernel(None) is None


def test_an_alignment_that_skips_and_goes_back():
    weights = np.eye(5)[[0, 1, 3, 2, 2]]
    assert metrics.monotonicity(weights) == 0.75  # of 4 steps one goes back
    assert_allclose(metrics.coverage(weights), [1, 1, 2, 1, 0])
    # Two frames are off by one: −(2/5) ln(1 + 1²).
    assert_allclose(metrics.coverage_deviation(weights), -0.4 * np.log(2))
    assert metrics.focus_rate(weights) == 1
    assert np.isnan(metrics.monotonicity(weights[:1]))
    with pytest.raises(ValueError, match="one map"):
        metrics.coverage(weights[None])


def test_kendalls_tau_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    first, second = RNG.integers(0, 6, size=(2, 5, 9)).astype(float)
    valid = np.arange(9) < np.array([9, 8, 5, 3, 1])[:, None]
    found = metrics.kendall_tau(first, second, valid)
    for row in range(4):
        kept = valid[row]
        expected = stats.kendalltau(first[row, kept], second[row, kept]).statistic
        assert_allclose(found[row], expected)
    assert np.isnan(found[4])


def test_random_rankings_agree_with_nothing():
    scores, valid = RNG.random((40, 8)), np.ones((40, 8), bool)
    drawn = metrics.random_tau(scores, valid, draws=100)
    assert abs(drawn.mean()) < 0.02 and 0 < np.quantile(drawn, 0.95) < 0.15


MARKED = np.array([[1, 1, 0, 0, 1, 0], [0, 0, 0, 1, 1, 1]], bool)
CHOSEN = np.array([[1, 0, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0]], bool)


def test_overlap_with_rationales_counted_by_hand():
    assert_allclose(metrics.token_f1(CHOSEN, MARKED), [2 / 3, 0])
    assert rationales.spans_of(CHOSEN[0]) == [(0, 1), (4, 6)]
    # Of the first example both spans chosen have half of a marked one: IOU 1/2.
    # Precision (2/2 + 0/1)/2 and recall (2/2 + 0/1)/2.
    assert metrics.iou_f1(CHOSEN, MARKED) == 0.5
    assert metrics.iou_f1(CHOSEN, MARKED, threshold=0.6) == 0
    assert metrics.iou_f1(MARKED, MARKED) == 1


def test_the_most_of_the_valid_tokens_are_taken():
    scores = np.array([[5, 4, 3, 2, 1.0], [1, 2, 3, 4, 5.0]])
    valid = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
    found = metrics.top_tokens(scores, valid, 0.5)
    assert found.tolist() == [[1, 1, 1, 0, 0], [0, 1, 1, 0, 0]]


def test_the_area_counted_by_hand():
    # By falling score: right, wrong, right. (recall, precision) (0, 1), (.5, 1),
    # (.5, .5), (1, 2/3): .5 + 0 + .5 (.5 + 2/3)/2.
    scores, valid = np.array([[0.9, 0.5, 0.3, 7.0]]), np.array([[1, 1, 1, 0]], bool)
    marked = np.array([[1, 0, 1, 0]], bool)
    expected = 0.5 + 0.5 * (0.5 + 2 / 3) / 2
    assert_allclose(metrics.average_precision_area(scores, marked, valid), expected)
    tied = metrics.average_precision_area(np.ones((1, 4)), marked, valid)
    assert_allclose(tied, (1 + 2 / 3) / 2)  # one threshold: (0, 1) to (1, 2/3)
    assert np.isnan(metrics.average_precision_area(scores, ~valid & marked, valid))
