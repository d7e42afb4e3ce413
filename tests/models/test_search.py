"""Searches against plain loops and exhaustive enumeration in NumPy."""

import itertools
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from regard import positions
from regard.layers import AdditiveAttention, AttentionDecoder
from regard.models import Search, Searcher, Seq2Seq
from tests.conformance.compiled import at_once
from tests.models.small import (
    MODELS,
    TARGET,
    array,
    log_softmax,
    make_ids,
    make_model,
)

END = 2
FORBIDDEN = (0, 1)


def log_probabilities(ask, source, target):
    """log p of each row of target (B, T), which begins with the start mark."""
    return log_softmax(array(ask((source, target))))


def cut(ids):
    """Ids up to the end mark."""
    ids = list(ids)
    return ids[: ids.index(END) + 1] if END in ids else ids


@pytest.mark.parametrize("name", MODELS)
def test_greedy_takes_the_likeliest_id_each_time(name):
    model = make_model(name)
    source, _ = make_ids()
    found = Searcher(model, Search(max_length=6))(source)
    target = np.full((len(source), 7), 1, "int32")
    ask = at_once(model)
    for at in range(6):  # of one length always, because a new one is compiled anew
        scores = log_probabilities(ask, source, target[:, :-1])[:, at]
        scores[:, list(FORBIDDEN)] = -np.inf
        target[:, at + 1] = scores.argmax(axis=-1)
    for row in range(len(source)):
        expected = cut(target[row, 1:])
        assert cut(found.ids[row, 0]) == expected
        assert found.lengths[row, 0] == len(expected)


@pytest.mark.parametrize("name", MODELS)
def test_hypotheses_are_scored_and_aligned_as_the_model_would(name):
    """Beams that were reordered wrongly would not agree with a forced pass."""
    model = make_model(name)
    source, _ = make_ids()
    settings = Search(beam=4, max_length=7, length_alpha=0.8)
    found = Searcher(model, settings)(source)
    ask = at_once(partial(model, return_attention_scores=True))
    for rank in range(4):
        ids = found.ids[:, rank]
        forced = np.concatenate([np.ones((len(source), 1), "int32"), ids], axis=1)
        logits, weights = ask((source, forced[:, :-1]))
        scores = log_softmax(array(logits))
        weights = array(weights)
        weights = weights[:, None] if weights.ndim == 3 else weights
        for row in range(len(source)):
            length = found.lengths[row, rank]
            total = sum(scores[row, at, ids[row, at]] for at in range(length))
            np.testing.assert_allclose(
                found.log_probabilities[row, rank], total, atol=1e-4
            )
            penalty = ((5 + length) / 6) ** 0.8
            np.testing.assert_allclose(
                found.scores[row, rank], total / penalty, atol=1e-4
            )
            np.testing.assert_allclose(
                found.alignments[row, rank, :, :length],
                weights[row, :, :length],
                atol=1e-5,
            )
            assert not found.alignments[row, rank, :, length:].any()
    assert (np.diff(found.scores, axis=1) <= 1e-6).all()  # the best first
    assert len({tuple(ids) for ids in found.ids[0]}) == 4  # all different


def test_a_wide_beam_finds_the_best_of_all_sequences():
    model = make_model()
    source, _ = make_ids(batch=2)
    length, ids = 3, [id for id in range(TARGET) if id not in FORBIDDEN]
    found = Searcher(
        model, Search(beam=len(ids) ** 2, max_length=length, length_alpha=1.0)
    )(source)
    ask = at_once(model)
    sequences = np.array(list(itertools.product(ids, repeat=length)), "int32")
    for row in range(2):
        start = np.ones((len(sequences), 1), "int32")
        forced = np.concatenate([start, sequences[:, :-1]], axis=1)
        sources = np.repeat(source[row : row + 1], len(sequences), axis=0)
        scores = log_probabilities(ask, sources, forced)
        best = {}
        for sequence, each in zip(sequences, scores, strict=True):
            short = tuple(cut(sequence))
            total = sum(each[at, id] for at, id in enumerate(short))
            best[short] = total / ((5 + len(short)) / 6)
        expected = max(best, key=best.get)
        assert tuple(cut(found.ids[row, 0])) == expected
        np.testing.assert_allclose(found.scores[row, 0], best[expected], atol=1e-4)


def test_a_beam_is_never_worse_than_greedy_by_its_own_score():
    model = make_model()
    source, _ = make_ids(batch=6, source_length=7)
    one = Searcher(model, Search(beam=1, max_length=8))(source)
    five = Searcher(model, Search(beam=5, max_length=8))(source)
    assert (five.scores[:, 0] >= one.scores[:, 0] - 1e-5).all()


def test_coverage_is_subtracted_from_the_final_scores():
    model = make_model()
    source, _ = make_ids()
    plain = Searcher(model, Search(beam=3, max_length=5))(source)
    covered = Searcher(model, Search(beam=3, max_length=5, coverage_beta=0.7))(source)
    for row in range(len(source)):
        known = {tuple(ids): k for k, ids in enumerate(plain.ids[row])}
        for rank, ids in enumerate(covered.ids[row]):
            before = known[tuple(ids)]
            seen = plain.alignments[row, before].mean(axis=0).sum(axis=0)
            seen = np.clip(seen[source[row] != 0], 1e-6, 1.0)
            expected = plain.scores[row, before] + 0.7 * np.log(seen).sum()
            np.testing.assert_allclose(covered.scores[row, rank], expected, atol=1e-4)


def test_padded_sources_give_the_same_hypotheses():
    model = make_model()
    source, _ = make_ids()
    longer = np.concatenate([source, np.zeros((4, 4), "int32")], axis=1)
    search = Searcher(model, Search(beam=3, max_length=6))
    first, second = search(source), search(longer)
    np.testing.assert_array_equal(first.ids, second.ids)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-5)


def test_search_follows_the_weights_as_they_are_now():
    model = make_model()
    source, _ = make_ids()
    search = Searcher(model, Search(beam=2, max_length=6))
    before = search(source)
    model.set_weights(make_model(seed=5).get_weights())
    assert (search(source).scores != before.scores).any()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_caches_that_are_too_small_are_told(temperature, monkeypatch):
    """Where compiled code cannot raise, the flag is read after the loop."""
    model = make_model("transformer")
    enough = model.initial_state
    monkeypatch.setattr(
        model, "initial_state", lambda memory, length: enough(memory, 2)
    )
    source, _ = make_ids()
    settings = Search(max_length=6, temperature=temperature, forbidden=(0, 1, 2))
    with pytest.raises(ValueError, match=r"must have room for"):
        Searcher(model, settings)(source)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"beam": 0}, "beam"),
        ({"max_length": 0}, "max_length"),
        ({"length_alpha": -1.0}, "length_alpha"),
        ({"temperature": 1.0, "top_p": 1.5}, "top_p"),
        ({"temperature": 1.0, "beam": 2}, "temperature"),
        ({"top_k": 5}, "top_k"),
    ],
)
def test_wrong_settings_are_named(wrong, named):
    with pytest.raises(ValueError, match=named):
        Search(**wrong)


@pytest.mark.parametrize("name", ["bahdanau-stacked", "luong", "transformer"])
def test_hypotheses_share_the_memory_of_their_source(name):
    """The same step with a memory repeated for every hypothesis."""
    model = make_model(name)
    assert model.shares_memory
    source, _ = make_ids()
    memory = model.encode(source)
    repeated = keras.tree.map_structure(lambda x: ops.repeat(x, 3, axis=0), memory)
    state = model.initial_state(repeated, 5)
    tokens = np.arange(12, dtype="int32")
    for _ in range(2):
        found, seen, after = model.step(ops.convert_to_tensor(tokens), memory, state)
        expected = model.step(ops.convert_to_tensor(tokens), repeated, state)
        expected, maps, state = expected
        for one, other in [(found, expected), (seen, maps)]:
            np.testing.assert_allclose(array(one), array(other), atol=1e-5)
        keras.tree.map_structure(
            lambda one, other: np.testing.assert_allclose(
                array(one), array(other), atol=1e-5
            ),
            after,
            state,
        )


@pytest.mark.parametrize("name", ["bahdanau", "luong", "luong-feeding"])
def test_a_memory_with_folded_values_gives_the_same_steps(name):
    model = make_model(name)
    source, _ = make_ids()
    memory = model.encode(source)
    folded = model.folded(memory, 3 * source.shape[1])
    assert "value" not in folded["attention"]
    state = model.initial_state(memory)
    tokens = ops.convert_to_tensor(np.arange(4, dtype="int32"))
    for _ in range(2):
        expected, maps, then = model.step(tokens, memory, state)
        found, seen, state = model.step(tokens, folded, state)
        np.testing.assert_allclose(array(found), array(expected), atol=2e-6)
        np.testing.assert_allclose(array(seen), array(maps), atol=2e-6)
        for one, other in zip(
            keras.tree.flatten(state), keras.tree.flatten(then), strict=True
        ):
            np.testing.assert_allclose(array(one), array(other), atol=2e-6)


def test_values_are_folded_only_where_it_spares_work():
    """Few queries; contexts that are projected; kernels that are not plain."""
    source, _ = make_ids()
    model = make_model("bahdanau")
    memory = model.encode(source)
    assert model.folded(memory, 2)["attention"] is memory["attention"]
    for name in ("bahdanau-stacked", "bahdanau-monotonic", "gnmt"):
        other = make_model(name)
        memory = other.encode(source)
        assert "value" in other.folded(memory, 100)["attention"]
    model.readout.enable_lora(2)
    assert model.folded(memory, 100) is memory


@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_what_a_position_adds_to_the_context_is_searched_with(query):
    """It is no product of the values, which therefore are not folded."""
    usual = make_model("bahdanau")
    attention = AdditiveAttention(5, position=positions.ShawRelative(3))
    model = Seq2Seq(
        usual.encoder,
        AttentionDecoder(attention, keras.layers.GRUCell(7), query),
        usual.source_size,
        usual.target_size,
        usual.width,
    )
    source, _ = make_ids()
    length = 4 * source.shape[1]
    memory = model.encode(source)
    assert "value" in model.folded(memory, length)["attention"]
    found = Searcher(model, Search(max_length=length))(source)
    assert np.isfinite(found.scores).all()
