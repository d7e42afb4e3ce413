"""What the shared checks do not ask of pointers and copying layers."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from tests.invariants.tools import numpy, random, randomized, read

X, MEMORY = random(1, 2, 3, 4), random(2, 2, 5, 6)
IDS = np.array([[3, 8, 3, 9, 3], [0, 1, 10, 10, 2]], "int32")


def pointer(**options):
    return randomized(layers.PointerAttention(4, **options), X, MEMORY)


def walk(layer, queries, mask=None, items=None):
    """Weights step by step; `items` (B, T) are taken instead of the likeliest."""
    memory = layer.prepare(MEMORY, value_mask=mask)
    state, rows = layer.initial_state(memory), []
    for i in range(queries.shape[1]):
        query = keras.ops.convert_to_tensor(queries[:, i])
        _, weights, after = layer.step(query, memory, state)
        rows.append(numpy(weights)[:, 0])
        state = after if items is None else layer.visit(state, items[:, i])
    return np.stack(rows, 1)


def test_steps_with_chosen_items_equal_the_call_with_targets():
    layer, items = pointer(), np.array([[1, 0, 4], [2, 2, 3]], "int32")
    expected = numpy(layer(X, MEMORY, targets=items))
    assert_allclose(walk(layer, X, items=items), expected, rtol=1e-5, atol=1e-6)
    assert (expected[0, 1:, 1] == 0).all() and (expected[0, 2, 0] == 0).all()
    assert_allclose(expected.sum(-1), 1, atol=1e-6)


def test_a_greedy_walk_visits_every_item_once_and_then_finds_nothing():
    queries = random(3, 2, 6, 4)
    keep = np.array([[1, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool)
    rows = walk(pointer(), queries, keep)
    visits = rows.argmax(-1)
    assert sorted(visits[0, :4]) == [0, 1, 2, 4]
    assert sorted(visits[1, :5]) == [0, 1, 2, 3, 4]
    assert_array_equal(rows[0, 4:], np.zeros((2, 5)))
    again = walk(pointer(revisit=True), queries, keep)
    assert_allclose(again.sum(-1), 1, atol=1e-6)


def test_targets_join_masks_scopes_and_implicit_masks():
    from regard import Causal, Window

    layer, items = pointer(), np.array([[1, 0, 4], [2, 2, 3]], "int32")
    plain = numpy(layer(X, MEMORY, targets=items))
    for mask in (Window(2, 1), np.tri(3, 5, 2, dtype=bool), Causal()):
        both = numpy(layer(X, MEMORY, targets=items, attention_mask=mask))
        alone = numpy(layer(X, MEMORY, attention_mask=mask))
        assert_array_equal(both == 0, (alone == 0) | (plain == 0))
    with pytest.raises(ValueError, match="targets must be whole numbers"):
        layer(X, MEMORY, targets=items.astype("float32"))
    with pytest.raises(ValueError, match="dropout must be 0"):
        layers.PointerAttention(4, dropout=0.1)


def test_a_decoder_runs_a_pointer_and_its_state():
    cell = keras.layers.GRUCell(3)
    decoder = layers.AttentionDecoder(layers.PointerAttention(4), cell)
    _, weights = read(decoder, random(4, 2, 5, 4), MEMORY)
    assert sorted(weights[0].argmax(-1)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("policy", ["float32", "float16"])
def test_logarithms_stay_finite_where_nothing_is_left(policy):
    copy_net = layers.CopyNet(9, extra_size=3, log=True, dtype=policy)
    sentinel = layers.PointerSentinel(9, extra_size=3, log=True, dtype=policy)
    for layer in (copy_net, sentinel):
        words = numpy(keras.ops.cast(layer(X, MEMORY, ids=IDS), "float32"))
        assert np.isfinite(words).all() and (words[..., 11] < -80).all()
    weights = np.full((2, 3, 5), 0.2, "float32")
    layer = layers.PointerGenerator(
        9, extra_size=3, forbidden=[4], log=True, dtype=policy
    )
    words = numpy(keras.ops.cast(layer(X, weights, IDS), "float32"))
    assert np.isfinite(words).all() and (words[..., [4, 11]] < -80).all()
    assert_allclose(np.exp(words).sum(-1), 1, atol=5e-3)


def test_without_anything_to_copy_everything_is_written():
    layer = layers.PointerGenerator(9, extra_size=2)
    words = numpy(layer(X, np.zeros((2, 3, 5), "float32"), IDS))
    assert_allclose(words[..., :9].sum(-1), 1, atol=1e-6)
    empty = np.zeros((2, 5), bool)
    for layer in (layers.CopyNet(9), layers.PointerSentinel(9)):
        words, copies = read(layer, X, MEMORY, ids=IDS, value_mask=empty)
        assert_allclose(words.sum(-1), 1, atol=1e-6)
        assert_array_equal(copies, np.zeros((2, 3, 5)))


def test_ids_outside_of_all_words_are_never_copied():
    layer = layers.PointerGenerator(9)
    weights = np.full((2, 3, 5), 0.2, "float32")
    words, gate = layer(X, weights, np.full((2, 5), -1, "int32"), return_gate=True)
    assert_allclose(numpy(words).sum(-1), numpy(gate)[..., 0], atol=1e-6)


def test_what_does_not_fit_is_refused():
    for layer in (layers.CopyNet(9), layers.PointerSentinel(9)):
        with pytest.raises(ValueError, match="ids must be whole numbers"):
            layer(X, MEMORY, ids=IDS.astype("float32"))
        with pytest.raises(ValueError, match="ids must be whole numbers"):
            layer(X, MEMORY, ids=IDS[:, :3])
    with pytest.raises(ValueError, match="forbidden must hold words from 0 to 8"):
        layers.PointerGenerator(9, forbidden=[9])
    with pytest.raises(ValueError, match="extra_size must be 0 or more"):
        layers.PointerGenerator(9, extra_size=-1)
    with pytest.raises(ValueError, match="attention_weights"):
        layers.PointerGenerator(9)(X, np.ones((2, 4, 5), "float32"), IDS)
