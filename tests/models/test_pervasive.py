"""The pervasive translator: it trains, saves, and decodes as it was trained."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard.layers import AdditiveAttention, PervasiveAttention
from regard.models import PervasiveTranslator, Search, Searcher
from tests.conformance.compiled import at_once
from tests.models.small import SOURCE, TARGET, array, log_softmax, make_ids


def make_model(**options):
    keras.utils.set_random_seed(0)
    attention = PervasiveAttention(4, depth=2, kernel_size=5, **options)
    model = PervasiveTranslator(attention, SOURCE, TARGET, width=6)
    model.set_weights([1.5 * weight for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("reader", ["max", "average", "gated_max", "attention"])
@pytest.mark.parametrize("kind", ["dense", "residual"])
def test_steps_equal_the_whole(kind, reader):
    model = make_model(kind=kind, reader=reader)
    source, target = make_ids()
    whole = at_once(partial(model, return_attention_scores=True))
    logits, weights = whole([source, target])
    memory = at_once(model.encode)(source)
    state = model.initial_state(memory)
    step = at_once(model.step)
    for t in range(target.shape[1]):
        found, shown, state = step(target[:, t], memory, state)
        assert_allclose(array(found), array(logits)[:, t], rtol=1e-4, atol=1e-5)
        assert_allclose(array(shown)[:, 0], array(weights)[:, t], rtol=1e-4, atol=1e-5)


def test_greedy_search_is_the_best_id_of_the_whole_again_and_again():
    model = make_model()
    source, _ = make_ids()
    settings = Search(beam=1, max_length=5, forbidden=(0, 1))
    found = Searcher(model, settings)(source)
    prefix = np.full((len(source), 1), settings.start, "int32")
    alive = np.ones(len(source), bool)
    ask = at_once(model)
    for place in range(settings.max_length):
        logits = array(ask([source, prefix]))[:, -1]
        logits[:, list(settings.forbidden)] = -np.inf
        best = logits.argmax(axis=-1)
        assert (found.ids[alive, 0, place] == best[alive]).all()
        alive &= best != settings.end
        prefix = np.concatenate([prefix, best[:, None].astype("int32")], axis=1)


def test_beams_keep_their_own_rows():
    model = make_model(reader="attention")
    source, _ = make_ids()
    found = Searcher(model, Search(beam=3, max_length=4, length_alpha=0.0))(source)
    ask = at_once(model)
    for b, k in np.ndindex(found.ids.shape[:2]):
        length = found.lengths[b, k]
        ids = found.ids[b, k, :length].astype("int32")
        target = np.concatenate([[1], ids[:-1]])[None].astype("int32")
        logits = array(ask([source[b : b + 1], target]))[0]
        total = log_softmax(logits)[np.arange(length), ids].sum()
        assert_allclose(found.log_probabilities[b, k], total, rtol=1e-3, atol=1e-3)


def test_it_learns_to_copy():
    """Ids of the source, one for one: possible only by looking at the right place."""
    keras.utils.set_random_seed(1)
    attention = PervasiveAttention(12, depth=2, kernel_size=3, reader="gated_max")
    model = PervasiveTranslator(attention, 8, 8, width=8)
    source = np.random.default_rng(0).integers(3, 8, (128, 3)).astype("int32")
    target = np.concatenate([np.ones((128, 1), "int32"), source[:, :-1]], axis=1)
    model.compile(
        keras.optimizers.Adam(0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = model.fit([source, target], source, epochs=8, batch_size=16, verbose=0)
    losses = losses.history["loss"]
    assert losses[-1] < 0.5 < losses[0], losses


def test_it_saves_and_loads(tmp_path):
    model = make_model(reader="gated_max", dropout=0.1, seed=3)
    source, target = make_ids()
    expected = array(model([source, target]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(array(again([source, target])), expected, rtol=1e-6)
    assert again.attention.get_config() == model.attention.get_config()


def test_padding_on_both_sides_changes_nothing():
    model = make_model()
    source, target = make_ids(batch=1)
    longer = np.concatenate([source, np.zeros((1, 3), "int32")], axis=1)
    later = np.concatenate([target, np.zeros((1, 2), "int32")], axis=1)
    ask = at_once(model)
    found = array(ask({"source": longer, "target": later}))
    assert_allclose(
        found[:, : target.shape[1]],
        array(ask([source, target])),
        rtol=1e-4,
        atol=1e-5,
    )


def test_another_attention_is_refused():
    with pytest.raises(ValueError, match="attention must be a PervasiveAttention"):
        PervasiveTranslator(AdditiveAttention(4), SOURCE, TARGET)
