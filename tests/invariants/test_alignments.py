"""D, M and N: what alignments equal, keep and refuse."""

from functools import partial

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers, losses
from regard.core.alignments import chunkwise, forward, locations, monotonic
from tests.conformance.gradients import gradients
from tests.invariants.tools import numpy, random, randomized, read

QUERY, MEMORY = random(1, 2, 4, 3), random(2, 2, 6, 5)
CHOICES = np.random.default_rng(3).uniform(size=(2, 6)).astype("float32")
START = np.eye(6, dtype="float32")[[0, 2]]
EVERYWHERE = np.ones((2, 6), bool)


def of_arrays(function):
    """The function of tensors, for NumPy arrays."""

    def run(*arguments):
        tensors = [
            ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a
            for a in arguments
        ]
        return numpy(function(*tensors))

    return run


expected_alignment = of_arrays(monotonic.expected_alignment)
recursive_alignment = of_arrays(monotonic.recursive_alignment)
hard_alignment = of_arrays(monotonic.hard_alignment)
chunkwise_weights = of_arrays(chunkwise.chunkwise_weights)
lookback_weights = of_arrays(chunkwise.lookback_weights)
forward_alignment = of_arrays(forward.forward_alignment)
mixture_weights = of_arrays(locations.mixture_weights)


def recurrence(choose, previous):
    """Raffel et al. 2017, equation 8, with its quotient, in float64."""
    choose, previous = choose.astype("float64"), previous.astype("float64")
    alpha = np.zeros_like(choose)
    for j in range(choose.shape[1]):
        before = (1 - choose[:, j - 1]) * alpha[:, j - 1] / choose[:, j - 1] if j else 0
        alpha[:, j] = choose[:, j] * (before + previous[:, j])
    return alpha


@pytest.mark.parametrize("align", [expected_alignment, recursive_alignment])
def test_d01_the_parallel_form_is_the_recurrence(align):
    found = align(CHOICES, START)
    assert_allclose(found, recurrence(CHOICES, START), rtol=1e-5, atol=1e-7)


def test_d01_modes_of_the_layer_agree():
    parallel = randomized(layers.MonotonicAttention(4), QUERY, MEMORY)
    recursive = layers.MonotonicAttention(4, mode="recursive")
    recursive(QUERY, MEMORY)
    recursive.set_weights(parallel.get_weights())
    for ours, theirs in zip(
        read(parallel, QUERY, MEMORY), read(recursive, QUERY, MEMORY), strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_d01_no_mass_is_lost_far_from_the_start():
    """Where the product of what was passed is far below the smallest quotient."""
    choose = np.full((1, 400), 0.5, "float32")
    previous = np.eye(400, dtype="float32")[[40]]
    found = expected_alignment(choose, previous)
    assert_allclose(found.sum(), 1.0, rtol=1e-5)
    assert_allclose(found, recurrence(choose, previous), rtol=1e-4, atol=1e-7)


def test_d02_the_alignment_is_the_expectation_over_all_walks():
    """Every pattern of stopping or passing, with its probability."""
    choose, expected = CHOICES[:1].astype("float64"), np.zeros(6)
    for pattern in np.ndindex(*[2] * 6):
        stops = np.array(pattern, bool)
        chance = np.prod(np.where(stops, choose[0], 1 - choose[0]))
        if stops.any():
            expected[np.argmax(stops)] += chance
    found = expected_alignment(CHOICES[:1], START[:1])[0]
    assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert found.sum() <= 1 + 1e-6


def test_d03_certain_choices_make_a_hard_walk():
    choose = (CHOICES > 0.5).astype("float32")
    soft = expected_alignment(choose, START)
    assert_array_equal(soft, hard_alignment(choose, START))
    for row, chosen, start in zip(soft, choose, START, strict=True):
        places = [j for j in range(np.argmax(start), 6) if chosen[j]]
        assert_array_equal(row, np.eye(6)[places[0]] if places else np.zeros(6))


def test_d04_chunks_of_one_key_are_the_monotonic_alignment():
    scores = random(4, 2, 6)
    alpha = expected_alignment(CHOICES, START)
    found = chunkwise_weights(alpha, scores, EVERYWHERE, 1)
    assert_allclose(found, alpha, rtol=1e-6, atol=1e-7)
    for size in (2, 3, 6, 9):
        found = chunkwise_weights(alpha, scores, EVERYWHERE, size)
        assert_allclose(found.sum(-1), alpha.sum(-1), rtol=1e-5)
    looked = lookback_weights(alpha, scores, EVERYWHERE)
    whole = chunkwise_weights(alpha, scores, EVERYWHERE, 6)
    assert_allclose(looked, whole, rtol=1e-5, atol=1e-7)


def test_d05_chunks_are_a_softmax_at_each_end():
    scores, alpha = random(4, 2, 6).astype("float64"), CHOICES / 6
    expected = np.zeros((2, 6))
    for end in range(6):
        inside = slice(max(0, end - 2), end + 1)
        powers = np.exp(scores[:, inside])
        share = powers / powers.sum(-1, keepdims=True)
        expected[:, inside] += alpha[:, end : end + 1] * share
    found = chunkwise_weights(alpha, scores.astype("float32"), EVERYWHERE, 3)
    assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    shifted = np.zeros((2, 6))  # a window one place off is told apart
    shifted[:, 1:] = expected[:, :-1]
    assert np.abs(found - shifted).max() > 1e-2


@pytest.mark.parametrize("spread", [0.0, 200.0, 1e4])
def test_d05_no_chunk_underflows(spread):
    """Scores of one chunk may lie far below those of another."""
    scores = np.linspace(0, -spread, 6, dtype="float32")[None] * np.ones((2, 1), "f4")
    alpha = np.full((2, 6), 1 / 6, "float32")
    for found in (
        chunkwise_weights(alpha, scores, EVERYWHERE, 2),
        lookback_weights(alpha, scores, EVERYWHERE),
    ):
        assert_allclose(found.sum(-1), 1.0, rtol=1e-5)


def zeroed(layer, name, *inputs):
    layer = randomized(layer, *inputs)
    for weight in layer.weights:
        if weight.name == name:
            weight.assign(np.zeros(weight.shape))
    return layer


def as_additive(layer, *inputs):
    """An additive attention with the weights that the layer shares with it."""
    plain = layers.AdditiveAttention(layer.units, use_bias=True)
    plain(*inputs)
    own = {weight.name: weight for weight in layer.weights}
    for weight in plain.weights:
        weight.assign(own[weight.name])
    return plain


@pytest.mark.parametrize(
    "make, name",
    [
        (partial(layers.LocationSensitiveAttention, 4, 2, 3), "feature_kernel"),
        (partial(layers.CoverageAttention, 4), "coverage_kernel"),
    ],
)
def test_d06_without_its_features_it_is_additive(make, name):
    layer = zeroed(make(), name, QUERY, MEMORY)
    plain = read(as_additive(layer, QUERY, MEMORY), QUERY, MEMORY)
    for ours, theirs in zip(read(layer, QUERY, MEMORY), plain, strict=True):
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    whole = read(randomized(make(), QUERY, MEMORY), QUERY, MEMORY)
    assert np.abs(whole[1] - plain[1]).max() > 1e-3  # the features do count


def test_d07_forward_attention_is_the_filter_of_a_hidden_chain():
    chances = np.random.default_rng(5).dirichlet(np.ones(6), size=(4, 2)).astype("f4")
    belief, found = START.astype("float64"), START
    stay_or_move = 0.5 * (np.eye(6) + np.eye(6, k=1))
    for likelihood in chances:
        belief = (belief @ stay_or_move) * likelihood
        belief /= belief.sum(-1, keepdims=True)
        found = forward_alignment(likelihood, found, EVERYWHERE)
    assert_allclose(found, belief, atol=2e-4)


def test_d07_the_alignment_moves_on_by_at_most_one_key():
    layer = randomized(layers.ForwardAttention(4), QUERY, MEMORY)
    _, weights = read(layer, QUERY, MEMORY)
    for i in range(4):
        assert (weights[:, i, i + 2 :] < 1e-4).all()


def test_d08_means_walk_forward_and_a_narrow_bell_is_one_hot():
    layer = randomized(layers.MixtureAttention(3, 4), QUERY, MEMORY)
    kappa = layer.trace(QUERY, MEMORY).extra["kappa"]
    assert kappa.shape == (2, 1, 4, 3)
    assert (np.diff(kappa, axis=2) > 0).all()
    one = np.ones((1, 1), "float32")
    places = np.arange(6, dtype="float32")[None]
    found = mixture_weights(one, 2.2 * one, 0.02 * one, places)
    assert_array_equal(np.argmax(found), 2)
    assert found[0, [0, 1, 3, 4, 5]].max() < 1e-20


def test_d09_coverage_sums_to_the_number_of_steps():
    layer = randomized(layers.CoverageAttention(4), QUERY, MEMORY)
    coverage = layer.trace(QUERY, MEMORY).extra["coverage"][:, 0]
    assert_allclose(coverage.sum(-1), np.tile(np.arange(4.0), (2, 1)), atol=1e-5)
    weights = read(layer, QUERY, MEMORY)[1]
    assert_allclose(coverage, np.cumsum(weights, 1) - weights, atol=1e-6)
    steps = [np.minimum(weights, coverage).sum(-1)]
    assert (steps[0][:, 0] == 0).all() and (steps[0] <= 1 + 1e-6).all()
    assert_allclose(numpy(losses.coverage_loss(weights)), steps[0].mean(-1), rtol=1e-5)


def test_d12_soft_attention_is_the_mean_of_hard_attention():
    query = np.repeat(QUERY[:1, :1], 4000, axis=1)
    layer = randomized(layers.StochasticAttention(4, seed=1), query, MEMORY[:1])
    soft, chances = read(layer, query, MEMORY[:1])
    hard, drawn = read(layer, query, MEMORY[:1], training=True)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert_allclose(drawn.sum(-1), 1.0)
    assert_allclose(drawn[0].mean(0), chances[0, 0], atol=0.03)
    assert_allclose(hard[0].mean(0), soft[0, 0], atol=0.1)


@pytest.mark.parametrize("baseline", [0.0, 3.0])
def test_d12_the_estimator_has_the_gradient_of_the_expectation(baseline):
    """Over every outcome with its probability: the mean is exact, without drawing."""
    query, value = ops.convert_to_tensor(QUERY[:1, 0]), MEMORY[:1]
    layer = randomized(layers.StochasticAttention(4), QUERY[:1], value)
    reward = random(7, 6)

    def step(value, noise=None):
        memory = layer.prepare(value)
        return layer.step(query, memory, layer.initial_state(memory), noise)

    def expected(value):
        return -ops.sum(step(value)[1][0, 0] * ops.convert_to_tensor(reward))

    def drawn(place, value):
        noise = ops.convert_to_tensor(1e3 * np.eye(6, dtype="float32")[[place]])
        *_, state = step(value, noise)
        logs = state["log_probability"][:, 0]
        return ops.sum(losses.score_function_loss(logs, reward[place], baseline))

    chances = numpy(step(ops.convert_to_tensor(value))[1])[0, 0]
    *_, exact = gradients(layer, expected, {"value": value})
    mean = {name: 0.0 for name in exact}
    for place in range(6):
        *_, found = gradients(layer, partial(drawn, place), {"value": value})
        mean = {name: mean[name] + chances[place] * found[name] for name in exact}
    for name, slope in exact.items():
        assert np.abs(slope).max() > 1e-4
        assert_allclose(mean[name], slope, rtol=1e-3, atol=1e-5, err_msg=name)


def test_m03_a_wide_window_and_bell_are_global():
    layer = randomized(layers.LocalAttention(20, spread=1e4), QUERY, MEMORY)
    plain = layers.GeneralAttention()
    plain(QUERY, MEMORY)
    plain.kernel.assign(layer.kernel)
    for ours, theirs in zip(
        read(layer, QUERY, MEMORY), read(plain, QUERY, MEMORY), strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_m04_rows_of_local_p_sum_to_less_than_one():
    layer = randomized(layers.LocalAttention(4), QUERY, MEMORY)
    sums = read(layer, QUERY, MEMORY)[1].sum(-1)
    assert (sums < 0.99).all() and (sums > 0).all()
    again = layers.LocalAttention(4, renormalize=True)
    again(QUERY, MEMORY)
    again.set_weights(layer.get_weights())
    assert_allclose(read(again, QUERY, MEMORY)[1].sum(-1), 1.0, rtol=1e-5)


def see(scores, mask):
    """See et al.'s own code: softmax, mask, divide by the sum."""
    powers = np.exp(scores - scores.max(-1, keepdims=True)).astype("float32")
    powers = powers / powers.sum(-1, keepdims=True) * mask
    return powers / powers.sum(-1, keepdims=True)


def covered_by_scores(scores):
    """A coverage attention whose scores are these (S,), nearly: v picks tanh(k)."""
    layer = layers.CoverageAttention(1, use_bias=False)
    query, key = np.zeros((1, 1, 1), "float32"), scores[None, :, None]
    layer(query, key)
    small = 1e-3
    values = {"query_kernel": 0.0, "key_kernel": small / np.abs(scores).max()}
    values |= {"score_vector": np.abs(scores).max() / small, "coverage_kernel": 0.0}
    for weight in layer.weights:
        weight.assign(np.full(weight.shape, values[weight.name], "float32"))
    return layer, query, key.astype("float32")


def test_n15_masking_before_softmax_equals_masking_after():
    scores, mask = np.array([0.3, -1.0, 2.0, 0.5]), np.array([1, 1, 0, 1], bool)
    layer, query, key = covered_by_scores(scores)
    found = read(layer, query, key, value_mask=mask[None])[1][0, 0]
    assert_allclose(found, see(scores, mask), rtol=1e-4, atol=1e-6)


def test_n16_masked_scores_that_dominate_do_no_harm():
    scores, mask = np.array([200.0, 0.0, 0.0]), np.array([0, 1, 1], bool)
    layer, query, key = covered_by_scores(scores)
    found = read(layer, query, key, value_mask=mask[None])[1][0, 0]
    assert_allclose(found, [0, 0.5, 0.5], atol=1e-6)
    with np.errstate(invalid="ignore"):
        assert np.isnan(see(scores, mask)).all()  # the rewrite fails here


def test_the_place_of_local_p_learns_through_the_bell_alone():
    """Inside the window the place has a slope, and what lies outside has none."""
    layer = randomized(layers.LocalAttention(1), QUERY, MEMORY)
    _, weights = read(layer, QUERY, MEMORY)

    def loss(value):
        return ops.sum(layer(ops.convert_to_tensor(QUERY), value)[:, :1])

    _, slopes, own = gradients(layer, loss, {"value": MEMORY})
    assert np.abs(own["place_kernel"]).max() > 1e-4
    outside = weights[:, 0] == 0
    assert outside.any() and not outside.all()
    assert (slopes["value"][outside] == 0).all()
