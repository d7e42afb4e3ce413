"""Where recurrences of other packages, or what they stand on, go wrong."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import features
from regard.core.scans import delta_scan, gated_scan
from regard.layers import CausalLinearAttention, GatedDeltaAttention, LinearAttention
from tests.conformance.compiled import at_once
from tests.invariants.tools import numpy, random, randomized

B, H, T, K, V = 2, 3, 40, 4, 5
X = random(3, 2, 6, 7)


def tensors(*arrays):
    return [keras.ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays]


def scanned(scan, *arrays, chunk):
    """The outputs and the last state."""
    return numpy(at_once(partial(scan, chunk=chunk))(*tensors(*arrays)))


def vectors(seed=0):
    q, k, v = (
        random(seed, B, H, T, K),
        random(seed + 1, B, H, T, K),
        random(2, B, H, T, V),
    )
    return q, k / np.linalg.norm(k, axis=-1, keepdims=True), v


@pytest.mark.parametrize("width", [1, K])
def test_strong_decay_over_a_long_chunk_does_not_overflow(width):
    """exp(-cumulated decay) would be e^4000; here only differences are taken."""
    q, k, v = vectors()
    decay = np.full((B, H, T, width), -100.0)
    output, state = scanned(gated_scan, q, k, v, decay, chunk=T)
    expected = np.sum(q * k, -1, keepdims=True) * v  # only the position itself is left
    assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(state).all()


def test_a_gate_that_closes_fully_stays_finite():
    q, k, v = vectors()
    decay = np.full((B, H, T, 1), -np.inf)
    output, _ = scanned(gated_scan, q, k, v, decay, chunk=8)
    assert np.isfinite(output).all()


def test_the_first_position_of_a_later_chunk_sees_the_chunk_before():
    """An exclusive sum read one place off loses or doubles it."""
    q, k, v = vectors()
    whole, _ = scanned(gated_scan, q, k, v, chunk=T)
    chunks, _ = scanned(gated_scan, q, k, v, chunk=8)
    assert_allclose(chunks, whole, rtol=1e-4, atol=1e-5)


def test_a_tail_shorter_than_a_chunk_reads_nothing_past_the_end():
    q, k, v = vectors()
    beta = np.full((B, H, T, 1), 0.5)
    whole, last = scanned(delta_scan, q, k, v, beta, chunk=T)
    tail, state = scanned(delta_scan, q, k, v, beta, chunk=16)
    assert_allclose(tail, whole, rtol=1e-4, atol=1e-5)
    assert_allclose(state, last, rtol=1e-4, atol=1e-5)


def test_the_same_key_over_and_over_stays_bounded():
    """Powers of the triangular matrix would pass through numbers near 1e18."""
    q, k, v = vectors()
    k = np.broadcast_to(k[:, :, :1], k.shape)
    beta = np.ones((B, H, T, 1))
    _, state = scanned(delta_scan, q, k, v, beta, chunk=T)
    stored = np.einsum("bhk,bhkv->bhv", k[:, :, -1], state)
    assert_allclose(stored, v[:, :, -1], rtol=1e-3, atol=1e-4)


def test_keys_of_any_length_cannot_blow_the_memory_up():
    layer = randomized(GatedDeltaAttention(2, 3, output_norm=None), X)
    output, state = at_once(layer.prefill)(np.repeat(X, 30, axis=1) * 1e3)
    assert np.isfinite(numpy(output)).all()
    assert np.abs(numpy(state["memory"])).max() < 1e5


def test_the_sum_of_scores_is_carried_with_the_state():
    layer = randomized(CausalLinearAttention(2, 3), X)
    whole = numpy(layer(X))
    _, state = layer.prefill(X[:, :4])
    rest, _ = layer.prefill(X[:, 4:], state=state)
    assert_allclose(numpy(rest), whole[:, 4:], rtol=1e-4, atol=1e-5)


def test_sums_in_half_precision_are_taken_in_float32():
    long = np.full((1, 3000, 4), 0.5, "float32")
    half = CausalLinearAttention(1, 2, dtype="float16")
    exact = CausalLinearAttention(1, 2)
    half(long), exact(long)
    half.set_weights(exact.get_weights())
    assert_allclose(numpy(half(long)), numpy(exact(long)), rtol=1e-2, atol=1e-2)


def test_a_gate_per_head_is_not_added_along_time():
    """A bias of shape (H, 1) is, on TensorFlow, where T equals H."""
    layer = randomized(GatedDeltaAttention(2, 3), X)
    whole = numpy(layer(X))
    for length in (1, 2, 3):
        short = numpy(at_once(layer)(X[:, :length]))
        assert_allclose(short, whole[:, :length], atol=1e-4)


def test_masks_of_pairs_are_not_cut_to_their_first_row():
    layer = randomized(LinearAttention(2, 3), X)
    causal = np.tril(np.ones((6, 6), bool))
    masked = numpy(layer(X, attention_mask=causal))
    ask = at_once(partial(layer, use_causal_mask=True))
    assert_allclose(masked, numpy(ask(X)), atol=1e-5)
    for t in range(1, 6):
        short = numpy(ask(X[:, :t]))
        assert_allclose(masked[:, :t], short, rtol=1e-4, atol=1e-5)


def test_padding_has_no_features():
    keep = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool)
    for kind in ("elu", "efficient", features.RandomFeatures(5, seed=1)):
        layer = randomized(LinearAttention(2, 3, feature_map=kind), X)
        padded = numpy(layer(X, value_mask=keep))
        short = numpy(layer(X[:1], X[:1, :3]))
        assert_allclose(padded[:1], short, rtol=1e-4, atol=1e-5)


def test_features_of_all_keys_refuse_to_be_causal():
    with pytest.raises(ValueError, match="feature_map must compute the features"):
        CausalLinearAttention(2, 3, feature_map="efficient")
    layer = LinearAttention(2, 3, feature_map="efficient")
    with pytest.raises(ValueError, match="must not be used where the features"):
        layer(X, use_causal_mask=True)
