"""Sampling draws from the distribution it says."""

import keras
import numpy as np

from regard.models import Search, Searcher
from regard.models.sampling import choose
from tests.models.small import array, make_ids, make_model


def chosen(logits, settings, count=4000):
    """Relative frequency of every id among many draws from one row of logits."""
    draws = (np.arange(count) + 0.5) / count
    rows = np.repeat(np.asarray([logits], "float32"), count, axis=0)
    ids = choose(
        keras.ops.convert_to_tensor(rows),
        keras.ops.convert_to_tensor(draws.astype("float32")),
        settings,
    )
    return np.bincount(array(ids), minlength=len(logits)) / count


LOGITS = np.log([0.1, 0.4, 0.05, 0.25, 0.2])


def test_frequencies_are_the_probabilities():
    found = chosen(LOGITS, Search(temperature=1.0))
    np.testing.assert_allclose(found, [0.1, 0.4, 0.05, 0.25, 0.2], atol=1e-3)


def test_temperature_sharpens():
    found = chosen(LOGITS, Search(temperature=0.5))
    expected = np.array([0.1, 0.4, 0.05, 0.25, 0.2]) ** 2
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-3)


def test_top_k_keeps_the_k_likeliest():
    found = chosen(LOGITS, Search(temperature=1.0, top_k=2))
    np.testing.assert_allclose(found, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], atol=1e-3)


def test_top_p_keeps_the_smallest_set_that_is_likely_enough():
    found = chosen(LOGITS, Search(temperature=1.0, top_p=0.6))
    np.testing.assert_allclose(found, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], atol=1e-3)
    found = chosen(LOGITS, Search(temperature=1.0, top_p=0.01))
    np.testing.assert_allclose(found, [0, 1, 0, 0, 0], atol=1e-3)


def test_a_seed_decides_and_another_differs():
    model = make_model()
    source, _ = make_ids()
    search = Searcher(model, Search(temperature=1.5, max_length=8))
    first, again, other = search(source, seed=1), search(source, 1), search(source, 2)
    np.testing.assert_array_equal(first.ids, again.ids)
    assert (first.ids != other.ids).any()
    assert not np.isin(first.ids[..., :1], (0, 1)).any()


def test_a_cold_sample_is_the_greedy_search():
    model = make_model()
    source, _ = make_ids()
    cold = Searcher(model, Search(temperature=1e-3, max_length=6))(source)
    greedy = Searcher(model, Search(max_length=6))(source)
    np.testing.assert_array_equal(cold.ids, greedy.ids)
    np.testing.assert_allclose(
        cold.log_probabilities, greedy.log_probabilities, atol=1e-4
    )
    np.testing.assert_allclose(cold.alignments, greedy.alignments, atol=1e-5)
