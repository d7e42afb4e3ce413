"""Attention with a state inside decoders, search and calls that go on."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import Window, capture, layers, plan
from regard.layers import AttentionDecoder
from regard.models import BidirectionalEncoder, Search, Searcher, Seq2Seq
from tests.conformance.compiled import at_once
from tests.models.small import log_softmax, make_ids

MECHANISMS = {
    "coverage": partial(layers.CoverageAttention, 4),
    "location_sensitive": partial(
        layers.LocationSensitiveAttention, 4, 2, 3, history="both"
    ),
    "monotonic": partial(layers.MonotonicAttention, 4),
    "hard": partial(layers.MonotonicAttention, 4, mode="hard", score_bias=0.0),
    "chunkwise": partial(layers.ChunkwiseAttention, 4, 2),
    "forward": partial(layers.ForwardAttention, 4, transition_agent=True),
    "mixture": partial(layers.MixtureAttention, 2, 4),
    "dynamic": partial(layers.DynamicConvolutionAttention, 4, 2, 3, 2, 3),
    "stochastic": partial(layers.StochasticAttention, 4),
    "local": partial(layers.LocalAttention, 2),
    "local_monotonic": partial(layers.LocalAttention, 2, predictive=False),
}
EXTRA = {
    "coverage": {"coverage"},
    "location_sensitive": {"cumulative"},
    "monotonic": {"p_choose"},
    "chunkwise": {"p_choose", "alignment"},
    "forward": {"chosen", "move"},
    "mixture": {"kappa", "width", "amount"},
    "dynamic": {"prior"},
    "stochastic": {"probabilities"},
}
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(2, 4, 3)).astype("float32")
VALUE = RANDOM.normal(size=(2, 5, 6)).astype("float32")
MASK = np.arange(5) < np.array([[5], [3]])


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("way", ["previous_state", "new_state"])
@pytest.mark.parametrize("name", MECHANISMS)
def test_the_loop_of_a_decoder_is_its_step_repeated(name, way):
    decoder = AttentionDecoder(MECHANISMS[name](), keras.layers.GRUCell(3), query=way)
    options = {"return_attention_scores": True, "return_state": True}
    outputs, weights, last = decoder(INPUTS, VALUE, value_mask=MASK, **options)
    memory = decoder.prepare(ops.convert_to_tensor(VALUE), value_mask=MASK)
    state = decoder.initial_state(memory)
    step = at_once(decoder.step)
    for i in range(4):
        output, row, state = step(INPUTS[:, i], memory, state)
        assert_allclose(array(outputs[:, i]), array(output), rtol=1e-5, atol=1e-6)
        assert_allclose(array(weights[:, i]), array(row)[:, 0], rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(
        keras.tree.flatten(last), keras.tree.flatten(state), strict=True
    ):
        assert_allclose(array(ours), array(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EXTRA)
def test_a_trace_shows_what_moved_the_weights(name):
    layer = MECHANISMS[name]()
    query = RANDOM.normal(size=(2, 4, 3)).astype("float32")
    trace = layer.trace(query, VALUE, value_mask=MASK)
    decoder = AttentionDecoder(MECHANISMS[name](), keras.layers.GRUCell(3))
    inside = decoder.trace(INPUTS, VALUE, value_mask=MASK)
    for found in (trace, inside):
        assert set(found.extra) >= EXTRA[name]
        for each in found.extra.values():
            assert each.shape[:3] == (2, 1, 4) and np.isfinite(each).all()
        assert found.weights.shape == (2, 1, 4, 5)
        assert (found.weights[1, ..., 3:] == 0).all()


@pytest.mark.parametrize("name", [n for n in MECHANISMS if "local" not in n])
def test_a_call_goes_on_from_a_state(name):
    layer = MECHANISMS[name]()
    query = RANDOM.normal(size=(2, 4, 3)).astype("float32")
    whole, last = layer(query, VALUE, value_mask=MASK, state={})
    first, state = layer(query[:, :3], VALUE, value_mask=MASK, state={})
    rest, state = layer(query[:, 3:], VALUE, value_mask=MASK, state=state)
    found = np.concatenate([array(first), array(rest)], axis=1)
    assert_allclose(found, array(whole), rtol=1e-5, atol=1e-6)
    assert set(state) == set(last)
    for leaf in last:
        assert_allclose(array(state[leaf]), array(last[leaf]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MECHANISMS)
def test_pairs_that_are_hidden_do_not_matter(name):
    layer = MECHANISMS[name]()
    query = RANDOM.normal(size=(2, 4, 3)).astype("float32")
    pairs = np.ones((4, 5), bool)
    pairs[1, 2] = pairs[2, 4] = False
    asked = {"attention_mask": pairs, "return_attention_scores": True}
    output, weights = layer(query, VALUE, **asked)
    assert (array(weights)[:, ~pairs] == 0).all()
    assert np.isfinite(array(output)).all()
    hidden = np.ones((4, 5), bool)
    hidden[:, 2] = False
    clean = array(layer(query, VALUE, attention_mask=hidden))
    spoilt = VALUE.copy()
    spoilt[:, 2] = np.nan
    if not name.startswith(("local", "stochastic")):
        found = array(layer(query, spoilt, attention_mask=hidden))
        key = np.where(np.isnan(spoilt), 0, spoilt)
        expected = array(layer(query, VALUE, key, attention_mask=hidden))
        assert np.isfinite(found).all() and found.shape == clean.shape
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_scope_moves_along_with_the_steps():
    layer = layers.CoverageAttention(4, scope=Window(1, 1))
    query = RANDOM.normal(size=(2, 4, 3)).astype("float32")
    _, weights = layer(
        query, VALUE, query_positions=np.arange(4), return_attention_scores=True
    )
    memory = layer.prepare(ops.convert_to_tensor(VALUE))
    state = layer.initial_state(memory)
    for i in range(4):
        _, row, state = layer.step(ops.convert_to_tensor(query[:, i]), memory, state)
        assert_allclose(array(row)[:, 0], array(weights)[:, i], rtol=1e-5, atol=1e-6)
        far = np.abs(np.arange(5) - i) > 1
        assert (array(row)[:, 0, far] == 0).all()


@pytest.mark.parametrize("name", ["monotonic", "stochastic"])
def test_noise_reaches_the_steps_of_a_decoder_in_training_alone(name):
    make = MECHANISMS[name]
    attention = make(noise=1.0, seed=1) if name == "monotonic" else make(seed=1)
    decoder = AttentionDecoder(attention, keras.layers.GRUCell(3))
    asked = {"value_mask": MASK, "return_attention_scores": True}
    still, again = (array(decoder(INPUTS, VALUE, **asked)[1]) for _ in range(2))
    assert_array_equal(still, again)
    noisy, other = (
        array(decoder(INPUTS, VALUE, training=True, **asked)[1]) for _ in range(2)
    )
    assert np.abs(noisy - other).max() > 1e-3
    assert (noisy[1, :, 3:] == 0).all()


def test_a_decoder_sums_the_log_probabilities_of_what_it_drew():
    attention = layers.StochasticAttention(4, seed=2)
    decoder = AttentionDecoder(attention, keras.layers.GRUCell(3))
    _, weights, state = decoder(
        INPUTS,
        VALUE,
        training=True,
        return_attention_scores=True,
        return_state=True,
    )
    assert_allclose(array(weights).sum(-1), 1.0, rtol=1e-6)
    found = array(state["attention"]["log_probability"])
    assert found.shape == (2, 1) and (found < 0).all()
    assert (array(state["attention"]["entropy"]) > 0).all()


@pytest.mark.parametrize("name", ["coverage", "chunkwise", "forward", "mixture"])
def test_search_reorders_the_state_of_the_attention(name):
    """Beams that were reordered wrongly would not agree with a forced pass."""
    keras.utils.set_random_seed(0)
    decoder = AttentionDecoder(MECHANISMS[name](), keras.layers.GRUCell(7))
    model = Seq2Seq(BidirectionalEncoder(5, "gru"), decoder, 11, 13, width=6)
    model.set_weights([2.0 * weight for weight in model.get_weights()])
    source, _ = make_ids(batch=2)
    found = Searcher(model, Search(beam=3, max_length=5))(source)
    for rank in range(3):
        ids = found.ids[:, rank]
        forced = np.concatenate([np.ones((2, 1), "int32"), ids], axis=1)
        scores = log_softmax(array(model((source, forced[:, :-1]))))
        for row in range(2):
            length = found.lengths[row, rank]
            total = sum(scores[row, at, ids[row, at]] for at in range(length))
            assert_allclose(found.log_probabilities[row, rank], total, atol=1e-4)


def test_the_plan_says_that_steps_follow_one_another():
    for name in EXTRA:
        assert plan(MECHANISMS[name](), (2, 4, 3), (2, 5, 6)).path == "steps"


def test_capture_finds_an_attention_with_a_state_in_a_model():
    inputs, value = keras.Input((None, 3)), keras.Input((None, 6))
    found = layers.CoverageAttention(4, name="alone")(inputs, value)
    decoder = AttentionDecoder(
        layers.CoverageAttention(4), keras.layers.GRUCell(3), name="around"
    )
    model = keras.Model([inputs, value], decoder(found, value))
    with capture(model) as maps:
        model.predict([INPUTS, VALUE], verbose=0)
    for name in ("alone", "around"):
        coverage = maps[name].extra["coverage"]
        assert coverage.shape == (2, 1, 4, 5)
        assert_allclose(coverage.sum(-1)[:, 0], np.tile(range(4), (2, 1)), atol=1e-5)


@pytest.mark.parametrize("name", MECHANISMS)
def test_caches_are_refused(name):
    layer = MECHANISMS[name]()
    layer(INPUTS)
    with pytest.raises(ValueError, match="cannot use a cache"):
        layer.initial_cache(2, 8)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="normalizer must be left out"):
        layers.MonotonicAttention(4, normalizer="sparsemax")
    with pytest.raises(ValueError, match="position must be None"):
        layers.CoverageAttention(4, position="rope")
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        layers.LocationSensitiveAttention(4, 2, 4)
    with pytest.raises(ValueError, match="bias must be None"):
        layers.MixtureAttention(2, 4)(INPUTS, VALUE, bias=np.zeros((1, 1, 1, 5), "f4"))
    with pytest.raises(ValueError, match="units must be None"):
        layers.MonotonicAttention(4, score="general")
    with pytest.raises(ValueError, match="mode must be one of"):
        layers.MonotonicAttention(4, mode="fast")
    with pytest.raises(ValueError, match="cell must be StackedRNNCells"):
        AttentionDecoder(
            layers.DotAttention(), keras.layers.GRUCell(3), query="bottom_state"
        )


def same_shapes(told, real):
    """Symbolic results are those of a call, axis by axis, but for the batch."""
    told, real = (keras.tree.flatten(each) for each in (told, real))
    found = [each.shape[1:] for each in told]
    assert found == [tuple(each.shape)[1:] for each in real]


def symbols():
    return keras.Input(INPUTS.shape[1:]), keras.Input(VALUE.shape[1:])


def test_symbolic_walks_give_their_state():
    options = {"state": {}, "return_attention_scores": True}
    layer = layers.ForwardAttention(3)
    same_shapes(layer(*symbols(), **options), layer(INPUTS, VALUE, **options))


@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_symbolic_decoders_give_weights_and_state(query):
    attention = layers.CoverageAttention(3)
    layer = AttentionDecoder(attention, keras.layers.LSTMCell(4), query=query)
    options = {"return_state": True, "return_attention_scores": True}
    inputs = symbols()
    told, real = layer(*inputs, **options), layer(INPUTS, VALUE, **options)
    same_shapes(told, real)
    model = keras.Model(inputs, told)
    for found, expected in zip(
        keras.tree.flatten(model([INPUTS, VALUE])),
        keras.tree.flatten(real),
        strict=True,
    ):
        found, expected = map(ops.convert_to_numpy, (found, expected))
        assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
