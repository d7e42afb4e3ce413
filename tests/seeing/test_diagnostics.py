"""Constructed maps are called what they are, and nothing else."""

import numpy as np
import pytest

from regard.seeing import map_measures
from regard.seeing.diagnostics import diagnose

EYE = np.eye(6)
UNIFORM = np.full((6, 6), 1 / 6)
RNG = np.random.default_rng(3)


def softened(weights, floor=0.02):
    """No exact zeros, rows summing to 1."""
    weights = weights + floor
    return weights / weights.sum(axis=1, keepdims=True)


SINK = np.zeros((6, 6))
SINK[:, 0] = 0.6
SINK += 0.4 * RNG.dirichlet(np.full(6, 0.15), size=6)
PEAKED_ROW = np.tile(np.array([0.3, 0.3, 0.3, 0.05, 0.03, 0.02]), (6, 1))
LONG = np.eye(20)
PREVIOUS = LONG[[0, *range(19)]]
NEXT = LONG[[*range(1, 20), 19]]
SCATTERED = EYE[[4, 0, 5, 1, 3, 2]]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (UNIFORM, ("uniform",)),
        (SINK, ("sink",)),
        (PEAKED_ROW, ("collapsed",)),
        (softened(EYE), ("same token", "diagonal")),
        (PREVIOUS, ("previous token", "diagonal")),
        (NEXT, ("next token", "diagonal")),
        (SCATTERED, ()),
    ],
    ids=["uniform", "sink", "collapsed", "same", "previous", "next", "scattered"],
)
def test_words_for_constructed_maps(weights, words):
    assert diagnose(weights).words(same_sequence=True) == words


def test_offsets_mean_nothing_between_two_sequences():
    assert diagnose(EYE).words() == ("diagonal",)


def test_an_unequal_diagonal_is_still_one():
    weights = np.zeros((9, 4))
    weights[np.arange(9), np.round(np.linspace(0, 3, 9)).astype(int)] = 1
    assert diagnose(weights).words() == ("diagonal",)
    assert "diagonal" not in diagnose(weights[::-1]).words()


def test_mass_on_masked_keys_is_a_leak():
    allowed = np.ones((6, 6), bool)
    allowed[:, 5] = False
    weights = SCATTERED.copy()
    weights[2] = EYE[1]
    assert diagnose(weights, allowed).words() == ()
    weights[0, 5] = 2e-6
    found = diagnose(weights, allowed)
    assert found.words() == ("padding leak",)
    assert found.leak == pytest.approx(2e-6)


def test_a_masked_query_that_reads_all_evenly_leaks_nothing():
    """As in Keras' own layers, whose softmax of equal numbers it is."""
    seen = np.arange(6) < 4
    allowed = seen[:, None] & seen
    weights = np.where(allowed, 0.25, 0.0)
    weights[~seen] = 1 / 6
    found = diagnose(weights, allowed)
    assert found.words() == ("uniform",) and found.rows == 4
    weights[0, 5] = 0.1
    assert diagnose(weights, allowed).leak == pytest.approx(0.1)


def test_masked_keys_do_not_count_as_looked_at():
    allowed = np.ones((4, 8), bool)
    allowed[:, 4:] = False
    weights = np.where(allowed, 0.25, 0.0)
    found = diagnose(weights, allowed)
    assert found.words() == ("uniform",)
    assert found.effective == pytest.approx(4)
    assert diagnose(weights).entropy == pytest.approx(np.log(4) / np.log(8))


def test_rows_with_one_visible_key_are_dropped():
    causal = np.tril(np.ones((5, 5), bool))
    weights = causal / causal.sum(axis=1, keepdims=True)
    found = diagnose(weights, causal)
    assert found.rows == 4
    assert found.entropy == pytest.approx(1)


def test_nothing_visible_gives_no_word():
    found = diagnose(np.zeros((3, 3)), np.zeros((3, 3), bool))
    assert found.rows == 0 and found.words() == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_is_said_and_spoils_no_number(value):
    weights = SCATTERED.copy()
    weights[0, 0] = value
    found = diagnose(weights)
    assert found.words() == ("not finite",)
    assert found.rows == 5 and np.isfinite(found.entropy)


def test_nan_under_the_mask_is_nothing_but_infinity_is_a_leak():
    weights = SCATTERED.copy()
    weights[0, 0] = np.nan
    assert diagnose(weights, np.isfinite(weights)).words() == ()
    weights[0, 0] = np.inf
    assert diagnose(weights, np.isfinite(weights)).words() == ("padding leak",)


@pytest.mark.parametrize("keys", [2, 3, 10, 50])
def test_effective_positions_of_uniform_is_the_number_of_keys(keys):
    weights = np.full((4, keys), 1 / keys)
    np.testing.assert_allclose(map_measures.effective_positions(weights), keys)
    np.testing.assert_allclose(map_measures.normalized_entropy(weights), 1)


def test_divergence_of_disjoint_rows_is_ln_2():
    first, second = np.eye(2)
    assert map_measures.jensen_shannon(first, second) == pytest.approx(np.log(2))
    assert map_measures.jensen_shannon(first, first) == pytest.approx(0)


def test_off_diagonality_by_hand():
    weights = np.array([[0.0, 1.0], [0.0, 1.0]])
    wanted = [1 - np.exp(-1 / (2 * 0.2**2)), 0.0]
    np.testing.assert_allclose(map_measures.off_diagonality(weights), wanted)


@pytest.mark.parametrize("shape", [(3,), (1, 3, 3)])
def test_only_one_map_at_a_time(shape):
    with pytest.raises(ValueError, match=r"weights must have shape \(query, key\)"):
        diagnose(np.zeros(shape))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="allowed must have the shape of weights"):
        diagnose(EYE, np.ones((5, 6), bool))
