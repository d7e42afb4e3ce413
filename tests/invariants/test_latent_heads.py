"""H07, H08: latents that are unfolded, and latents that are not."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import layers, positions
from tests.invariants.tools import numpy, random, randomized, read

QUERY, VALUE = random(1, 2, 3, 4), random(2, 2, 5, 6)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
YARN = positions.YaRN(4.0, 16, attention_factor=1.0)


@pytest.mark.parametrize("query_latent_dim", [None, 3])
def test_h07_absorbed_is_unabsorbed(query_latent_dim):
    options = {
        "rope_dim": 4,
        "value_dim": 7,
        "query_latent_dim": query_latent_dim,
        "mscale": 1.1386,
        "position": positions.RoPE(scaling=YARN, pairing="interleaved"),
    }
    plain = randomized(
        layers.MultiHeadLatentAttention(2, 3, 5, **options), QUERY, VALUE
    )
    absorbed = layers.MultiHeadLatentAttention(2, 3, 5, absorb=True, **options)
    absorbed(QUERY, VALUE)
    absorbed.set_weights(plain.get_weights())
    for call in ({}, {"value_mask": KEEP}, {"use_causal_mask": True}):
        left, right = (read(each, QUERY, VALUE, **call) for each in (absorbed, plain))
        assert_allclose(left[0], right[0], rtol=1e-4, atol=1e-5)
        assert_allclose(left[1], right[1], rtol=1e-4, atol=1e-6)


def test_h07_what_is_kept_is_narrow_and_the_same():
    layer = randomized(
        layers.MultiHeadLatentAttention(4, 8, 5, rope_dim=2), QUERY, VALUE
    )
    memory = layer.prepare(VALUE)
    sizes = {name: each.shape for name, each in memory.items() if name != "mask"}
    assert sizes == {"latent": (2, 1, 5, 5), "turned": (2, 1, 5, 2)}
    absorbed = layers.MultiHeadLatentAttention(4, 8, 5, rope_dim=2, absorb=True)
    absorbed(QUERY, VALUE)
    absorbed.set_weights(layer.get_weights())
    query = keras.ops.convert_to_tensor(QUERY[:, 0])
    state = layer.initial_state(memory)
    first, second = (each.step(query, memory, state) for each in (layer, absorbed))
    assert_allclose(numpy(first[0]), numpy(second[0]), rtol=1e-4, atol=1e-5)


def test_h07_turning_latents_themselves_would_be_another_function():
    """A key turned after unfolding is not an unfolded turned latent."""
    layer = randomized(
        layers.MultiHeadLatentAttention(1, 4, 4, latent_norm=False), QUERY, VALUE
    )
    kernel = numpy(layer.key_dense.kernel.value)[:, 0]  # (latent, key)
    latent = VALUE @ numpy(layer.memory_down.kernel.value)
    turn = positions.RoPE()
    places = keras.ops.arange(5)
    after = numpy(
        turn.rotate(keras.ops.convert_to_tensor(latent @ kernel)[:, None], places)
    )
    before = (
        numpy(turn.rotate(keras.ops.convert_to_tensor(latent)[:, None], places))
        @ kernel
    )
    assert np.abs(after - before).max() > 0.1


def test_h08_latents_as_wide_as_the_input_are_multi_head():
    layer = layers.MultiHeadLatentAttention(2, 3, 6, latent_norm=False)
    randomized(layer, QUERY, VALUE)
    layer.memory_down.kernel.assign(np.eye(6))
    plain = layers.MultiHeadAttention(2, 3, use_bias=False)
    plain(QUERY, VALUE)
    for part in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(plain, part).kernel.assign(numpy(getattr(layer, part).kernel.value))
    ours, theirs = (
        read(each, QUERY, VALUE, value_mask=KEEP, use_causal_mask=True)
        for each in (layer, plain)
    )
    for left, right in zip(ours, theirs, strict=True):
        assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bits", ["int8"])
def test_absorbed_heads_survive_fewer_bits(bits):
    layer = randomized(
        layers.MultiHeadLatentAttention(2, 8, 16, rope_dim=4, absorb=True), QUERY, VALUE
    )
    before = numpy(layer(QUERY, VALUE))
    layer.quantize(bits)
    after = numpy(layer(QUERY, VALUE))
    assert 0 < np.abs(after - before).max() < 0.1 * np.abs(before).max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_key_value_heads": 1}, "query_key_norm must be None"),
        (
            {"position": positions.RoPE()},
            "position must be None or one of ALiBi, T5Bias",
        ),
        ({"latent_dim": 0}, "latent_dim must be a positive integer"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiHeadLatentAttention(
            **{"num_heads": 2, "key_dim": 3, "latent_dim": 5, **options}
        )


def test_keys_and_values_of_two_widths_are_refused():
    with pytest.raises(ValueError, match="key and value must have one width"):
        layers.MultiHeadLatentAttention(2, 3, 5)(QUERY, VALUE, random(3, 2, 5, 7))
