"""Position schemes against their equations, written out with loops."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from regard import layers
from regard.core import positions as schemes
from regard.core.positions.alibi import slopes
from regard.core.positions.t5 import bucket_of
from regard.core.scopes import Grid

RNG = np.random.default_rng(11)
QUERY = RNG.normal(size=(2, 3, 6)).astype("float32")
VALUE = RNG.normal(size=(2, 5, 6)).astype("float32")
SCHEMES = {
    "rope": schemes.RoPE(),
    "rope_interleaved": schemes.RoPE(pairing="interleaved", base=100.0),
    "rope_partial": schemes.RoPE(width=2),
    "rope_yarn": schemes.RoPE(scaling=schemes.YaRN(4, 16)),
    "alibi": schemes.ALiBi(),
    "t5": schemes.T5Bias(8, 12),
    "rope_and_t5": schemes.RoPE() + schemes.T5Bias(8, 12),
}
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def turned(vector, place, base, pairing, width):
    """One vector, pair by pair."""
    result = vector.astype("float64").copy()
    for i in range(width // 2):
        pair = (i, i + width // 2) if pairing == "half" else (2 * i, 2 * i + 1)
        angle = place * base ** (-2 * i / width)
        a, b = vector[list(pair)]
        result[pair[0]] = a * math.cos(angle) - b * math.sin(angle)
        result[pair[1]] = a * math.sin(angle) + b * math.cos(angle)
    return result


@pytest.mark.parametrize("pairing", ["half", "interleaved"])
@pytest.mark.parametrize("width", [None, 4])
def test_rope_turns_every_pair(pairing, width):
    scheme = schemes.RoPE(base=50.0, pairing=pairing, width=width)
    places = np.array([0, 3, 7])
    vectors = ops.convert_to_tensor(QUERY[:, None])
    found = ops.convert_to_numpy(scheme.rotate(vectors, places))[:, 0]
    for b, t in np.ndindex(2, 3):
        expected = turned(QUERY[b, t], places[t], 50.0, pairing, width or 6)
        np.testing.assert_allclose(found[b, t], expected, atol=1e-5)


def test_alibi_is_a_distance_times_a_slope_in_both_directions():
    query = ops.zeros((1, 4, 3, 2))
    grid = Grid.of(3, 5)
    found = ops.convert_to_numpy(schemes.ALiBi().bias(query, None, grid))
    for h, i, j in np.ndindex(4, 3, 5):
        expected = -(2.0 ** (-8 * (h + 1) / 4)) * abs(i + 2 - j)
        np.testing.assert_allclose(found[0, h, i, j], expected)


def test_alibi_slopes_for_a_number_of_heads_between_powers_of_two():
    assert slopes(8) == [2.0**-h for h in range(1, 9)]
    assert slopes(6) == [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]


def test_t5_buckets():
    """By hand: 8 buckets up to distance 12, both directions: 0, 1, then two grown."""
    offset = ops.convert_to_tensor(np.array([-20, -6, -3, -2, -1, 0, 1, 2, 5, 20]))
    found = ops.convert_to_numpy(bucket_of(offset, 8, 12, bidirectional=True))
    np.testing.assert_array_equal(found, [3, 3, 2, 2, 1, 0, 5, 6, 7, 7])
    causal = ops.convert_to_numpy(bucket_of(offset, 8, 12, bidirectional=False))
    np.testing.assert_array_equal(causal, [7, 5, 3, 2, 1, 0, 0, 0, 0, 0])


@every_scheme
def test_only_differences_of_positions_matter(name):
    layer = layers.MultiHeadAttention(2, 4, position=SCHEMES[name])
    plain = ops.convert_to_numpy(layer(QUERY, VALUE))
    moved = layer(
        QUERY,
        VALUE,
        query_positions=np.arange(2, 5) + 9,
        key_positions=np.arange(5) + 9,
    )
    np.testing.assert_allclose(ops.convert_to_numpy(moved), plain, atol=2e-5)


@every_scheme
def test_places_matter(name):
    layer = layers.MultiHeadAttention(2, 4, position=SCHEMES[name])
    plain = ops.convert_to_numpy(layer(QUERY, VALUE))
    backwards = layer(QUERY, VALUE, key_positions=np.arange(5)[::-1].copy())
    assert np.abs(ops.convert_to_numpy(backwards) - plain).max() > 1e-4


@every_scheme
def test_steps_stand_at_the_positions_they_count(name):
    layer = layers.MultiHeadAttention(2, 4, position=SCHEMES[name])
    whole = ops.convert_to_numpy(layer(QUERY, VALUE, query_positions=np.arange(3)))
    memory = layer.prepare(ops.convert_to_tensor(VALUE))
    state = layer.initial_state(memory)
    for place in range(3):
        query = ops.convert_to_tensor(QUERY[:, place])
        context, _, state = layer.step(query, memory, state)
        np.testing.assert_allclose(
            ops.convert_to_numpy(context), whole[:, place], atol=1e-5
        )


@every_scheme
def test_a_scheme_counts_its_weights(name):
    layer = layers.MultiHeadAttention(2, 4, position=SCHEMES[name])
    layer(QUERY, VALUE)
    assert len(layer.part_weights["position"]) == SCHEMES[name].count


def test_two_schemes_together_are_each_of_them():
    both = layers.MultiHeadAttention(2, 4, position=schemes.ALiBi() + schemes.ALiBi())
    both(QUERY, VALUE)
    twice = layers.MultiHeadAttention(2, 4, position=schemes.ALiBi(scale=2.0))
    twice(QUERY, VALUE)
    twice.set_weights(both.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(twice(QUERY, VALUE)),
        ops.convert_to_numpy(both(QUERY, VALUE)),
        rtol=1e-5,
    )
    with pytest.raises(ValueError, match="both sides of"):
        schemes.RoPE() + 1


@every_scheme
def test_a_scheme_survives_saving(name, tmp_path):
    inputs = keras.Input((None, 6))
    layer = layers.MultiHeadAttention(2, 4, position=SCHEMES[name])
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        model.predict(VALUE, verbose=0), again.predict(VALUE, verbose=0)
    )
    assert again.layers[-1].position == SCHEMES[name]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schemes.RoPE(pairing="other"), "pairing must be one of"),
        (lambda: schemes.RoPE(width=3), "width must be even"),
        (lambda: schemes.RoPE(scaling="yarn"), "scaling must be None or"),
        (lambda: schemes.T5Bias(7), "buckets must be at least 4, and even"),
        (lambda: schemes.Linear(0), "factor must be positive"),
        (lambda: layers.DotAttention(position="rope"), "position must be None or"),
    ],
)
def test_options_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_odd_width_cannot_turn():
    layer = layers.MultiHeadAttention(2, 3, position=schemes.RoPE())
    with pytest.raises(ValueError, match="RoPE turns pairs"):
        layer(QUERY, VALUE)
