"""D09-D11, N09, N15: pointing, copying, and what is shared out."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from regard.core.copying import selective_read, spread
from tests.invariants.tools import numpy, random, randomized, read, weigh

X, MEMORY = random(1, 2, 3, 4), random(2, 2, 5, 6)
IDS = np.array([[3, 8, 3, 9, 3], [0, 1, 10, 10, 2]], "int32")
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def attention():
    return weigh("softmax", random(3, 2, 3, 5))


def built(layer, *inputs, seed=0, **more):
    layer(*inputs, **more)
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape, scale=0.7))
    return layer


def generator(**options):
    layer = layers.PointerGenerator(9, extra_size=2, **options)
    return built(layer, X, attention(), IDS)


def test_d10_the_pointer_generator_sums_to_one():
    assert_allclose(numpy(generator()(X, attention(), IDS)).sum(-1), 1, atol=1e-6)


def test_d10_an_open_gate_is_the_vocabulary_and_a_closed_one_the_copy():
    layer = generator()
    layer.gate_kernel.assign(np.zeros((4, 1)))
    logits = X @ numpy(layer.output_kernel.value) + numpy(layer.output_bias.value)
    layer.gate_bias.assign([60.0])
    written = numpy(layer(X, attention(), IDS))
    assert_allclose(written[..., :9], weigh("softmax", logits), atol=1e-6)
    assert_array_equal(written[..., 9:], np.zeros((2, 3, 2)))
    layer.gate_bias.assign([-60.0])
    copied = numpy(layer(X, attention(), IDS))
    weights = attention()
    assert_allclose(copied[0, :, 3], weights[0][:, [0, 2, 4]].sum(-1), atol=1e-6)
    assert_allclose(copied[1, :, 10], weights[1][:, [2, 3]].sum(-1), atol=1e-6)
    assert_allclose(copied[0, :, 0], np.zeros(3), atol=1e-20)


def test_d10_control_assignment_in_place_of_addition_loses_duplicates():
    weights = attention()
    assigned = np.zeros((2, 3, 11))
    for b, j in np.ndindex(IDS.shape):
        assigned[b, :, IDS[b, j]] = weights[b, :, j]
    added = numpy(spread(keras.ops.convert_to_tensor(weights), IDS, 11))
    assert_allclose(added.sum(-1), 1, atol=1e-6)
    assert (assigned.sum(-1) < 0.99).any()


@pytest.mark.parametrize("mask", [None, KEEP])
@pytest.mark.parametrize("kind", [layers.CopyNet, layers.PointerSentinel])
def test_d11_one_softmax_is_a_mixture_with_the_gate_it_implies(kind, mask):
    layer = built(kind(9, extra_size=2), X, MEMORY, ids=IDS)
    words, copies = read(layer, X, MEMORY, ids=IDS, value_mask=mask)
    assert_allclose(words.sum(-1), 1, atol=1e-5)
    gate = 1 - copies.sum(-1, keepdims=True)  # Z_g / (Z_g + Z_c)
    logits = X @ numpy(layer.output_kernel.value) + numpy(layer.output_bias.value)
    expected = np.zeros((2, 3, 11))
    expected[..., :9] = gate * weigh("softmax", logits)
    for b, i, j in np.ndindex(copies.shape):
        expected[b, i, IDS[b, j]] += copies[b, i, j]
    assert_allclose(words, expected, atol=1e-6)


def test_n09_a_sentinel_of_minus_infinity_is_softmax_and_of_zero_off_by_one():
    layer = built(layers.PointerSentinel(9, use_bias=False), X, MEMORY, ids=IDS)
    queries = np.tanh(X @ numpy(layer.query_kernel.value))
    scores = queries @ MEMORY.transpose(0, 2, 1)
    layer.sentinel.assign(np.zeros(6))
    _, copies = read(layer, X, MEMORY, ids=IDS)
    assert_allclose(copies, weigh("off_by_one", scores), atol=1e-6)
    positive = np.full((4, 6), 1.0)
    layer.query_kernel.assign(positive)
    layer.sentinel.assign(np.full(6, -1e9))
    ones = np.ones_like(X)
    _, copies = read(layer, ones, MEMORY, ids=IDS)
    scores = np.tanh(ones @ positive) @ MEMORY.transpose(0, 2, 1)
    assert_allclose(copies, weigh("softmax", scores), atol=1e-6)
    assert_allclose(copies.sum(-1), 1, atol=1e-6)


def test_n15_softmax_then_mask_then_renormalize_is_masked_softmax():
    """As in the code of 2017; control: it loses everything where logits underflow."""

    def as_in_2017(scores):
        weights = weigh("softmax", scores) * KEEP[:, None]
        return weights / weights.sum(-1, keepdims=True)

    scores = random(4, 2, 3, 5)
    seen = np.broadcast_to(KEEP[:, None], scores.shape)
    assert_allclose(weigh("softmax", scores, seen), as_in_2017(scores), atol=1e-6)
    scores[0, :, 3] = 500.0  # hidden
    with np.errstate(invalid="ignore"):
        assert np.isnan(as_in_2017(scores)).any()
    assert_allclose(weigh("softmax", scores, seen).sum(-1), 1, atol=1e-6)


def test_d09_what_was_looked_at_sums_to_the_steps_and_the_loss_stays_small():
    """Coverage of our additive layer's weights over five steps."""
    layer = randomized(layers.AdditiveAttention(4), random(5, 2, 5, 4), MEMORY)
    _, weights = read(layer, random(5, 2, 5, 4), MEMORY, value_mask=KEEP)
    before = np.cumsum(weights, axis=1) - weights
    assert_allclose(before.sum(-1), np.arange(5) * np.ones((2, 1)), atol=1e-5)
    loss = np.minimum(weights, before).sum(-1)
    assert_array_equal(loss[:, 0], np.zeros(2))
    assert (loss <= 1 + 1e-6).all() and (loss[:, 1:] > 0).all()


def test_a_selective_read_averages_the_places_of_the_word_before():
    weights = attention()[:, 0]
    word = np.array([3, 7], "int32")
    found = numpy(
        selective_read(MEMORY, keras.ops.convert_to_tensor(weights), IDS, word)
    )
    shares = weights[0, [0, 2, 4]] / weights[0, [0, 2, 4]].sum()
    assert_allclose(found[0], shares @ MEMORY[0, [0, 2, 4]], rtol=1e-5)
    assert_array_equal(found[1], np.zeros(6))
