"""L: attention that is linear in the length, and what it equals."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import features, layers, positions
from regard.core.approximate.nystrom import inverse
from regard.core.scans import delta_scan, gated_scan
from tests.conformance.compiled import at_once
from tests.invariants.tools import numpy, random, randomized, read
from tests.reference.recurrences import recurrent

B, H, T, K, V = 2, 2, 12, 4, 5
Q, KEYS, VALUES = (random(i, B, H, T, width) for i, width in ((1, K), (2, K), (3, V)))
UNIT = KEYS / np.linalg.norm(KEYS, axis=-1, keepdims=True)
X = random(4, B, T, 6)
PLAIN = {"output_norm": None, "output_gate": None}
CLOSE = {"rtol": 1e-4, "atol": 2e-5}


def scan(function, *arrays, **options):
    given = [
        None if each is None else keras.ops.convert_to_tensor(each.astype("float32"))
        for each in arrays
    ]
    return numpy(at_once(partial(function, **options))(*given))


def one_by_one(decay=None, strength=None, key=KEYS):
    """The recurrence in NumPy, every head apart."""
    output = np.zeros((B, H, T, V))
    for b, h in np.ndindex(B, H):
        own = None if decay is None else decay[b, h]
        rate = None if strength is None else strength[b, h, :, 0]
        output[b, h] = recurrent(Q[b, h], key[b, h], VALUES[b, h], own, rate)
    return output


def shared(source, target):
    """Give a layer the weights of another by name."""
    source(X), target(X)
    values = {each.path.split("/", 1)[1]: each for each in source.weights}
    for each in target.weights:
        each.assign(values[each.path.split("/", 1)[1]])
    return target


@pytest.mark.parametrize("chunk", [1, 3, 4, 12])
def test_l01_linear_attention_in_chunks_is_the_recurrence_and_the_table(chunk):
    layer = randomized(layers.CausalLinearAttention(2, 3, chunk_size=chunk), X)
    output, weights = read(layer, X)
    values = numpy(layer.value_dense(X)).swapaxes(1, 2)
    table = np.einsum("bhts,bhsv->bthv", weights, values)
    assert_allclose(numpy(layer.output_dense(table)), output, **CLOSE)
    assert (np.triu(weights, 1) == 0).all()
    state, step = layer.initial_state(B), at_once(layer.step)
    for t in range(T):
        single, state = step(X[:, t], state)
        assert_allclose(numpy(single), output[:, t], **CLOSE)


def test_l02_the_order_of_products_does_not_matter():
    layer = randomized(layers.LinearAttention(2, 3), X)
    summed = numpy(layer(X))  # phi(Q) (phi(K)^T V)
    full = np.ones((T, T), bool)
    table = numpy(layer(X, attention_mask=full))  # (phi(Q) phi(K)^T) V
    assert_allclose(summed, table, **CLOSE)


def test_l03_random_features_estimate_the_exponential():
    query, key = random(7, 1, 1, 1, K) / 2, random(8, 1, 1, 1, K) / 2
    map_ = features.RandomFeatures(200_000, epsilon=0.0, shared_maximum=False)
    rng = np.random.default_rng(0)
    drawn = keras.ops.convert_to_tensor(rng.normal(size=(200_000, K)).astype("float32"))
    q = numpy(map_.key(keras.ops.convert_to_tensor(query), None, drawn))
    k = numpy(map_.key(keras.ops.convert_to_tensor(key), None, drawn))
    assert_allclose(np.sum(q * k), np.exp(np.sum(query * key) / 2), rtol=0.02)
    wrong = numpy(map_.key(keras.ops.convert_to_tensor(-key), None, drawn))
    assert abs(np.sum(q * wrong) / np.exp(np.sum(query * key) / 2) - 1) > 0.02


def test_l04_linformer_with_identities_is_full_attention():
    linformer = layers.LinformerAttention(2, 3, rows=T, maximum_length=T)
    full = layers.MultiHeadAttention(2, 3)
    randomized(linformer, X), full(X)
    linformer.key_rows.assign(np.eye(T)), linformer.value_rows.assign(np.eye(T))
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(full, name).set_weights(getattr(linformer, name).get_weights())
    for ours, exact in zip(read(linformer, X), read(full, X), strict=True):
        assert_allclose(ours, exact, **CLOSE)
    linformer.value_rows.assign(np.eye(T)[::-1])
    assert np.abs(numpy(linformer(X)) - numpy(full(X))).max() > 1e-2


def test_l05_nystrom_with_a_landmark_per_position_is_full_attention():
    nystrom = randomized(layers.NystromAttention(2, 3, landmarks=T, iterations=40), X)
    full = layers.MultiHeadAttention(2, 3)
    full(X)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(full, name).set_weights(getattr(nystrom, name).get_weights())
    assert_allclose(numpy(nystrom(X)), numpy(full(X)), rtol=2e-2, atol=2e-2)
    few = layers.NystromAttention(2, 3, landmarks=2)
    few(X)
    few.set_weights(nystrom.get_weights())
    assert np.abs(numpy(few(X)) - numpy(full(X))).max() > 2e-2


def test_l06_six_steps_invert_a_well_conditioned_matrix():
    matrix = np.eye(4, dtype="float32") + 0.05 * np.abs(random(5, 1, 1, 4, 4))
    matrix = matrix / matrix.sum(-1, keepdims=True)
    found = numpy(inverse(keras.ops.convert_to_tensor(matrix), 6))
    assert_allclose(found, np.linalg.pinv(matrix), rtol=1e-4, atol=1e-4)
    early = numpy(inverse(keras.ops.convert_to_tensor(matrix), 1))
    assert np.abs(early - np.linalg.pinv(matrix)).max() > 1e-2


def test_l07_cosines_of_distances_split_into_features():
    length = 16
    place = positions.CosineReweighting(length)
    plain = randomized(layers.LinearAttention(2, 3, feature_map="relu"), X)
    layer = shared(
        plain, layers.LinearAttention(2, 3, feature_map="relu", position=place)
    )
    gaps = np.arange(T)[:, None] - np.arange(T)
    weights = read(plain, X)[1] * np.cos(np.pi / 2 * gaps / length)
    total = weights.sum(-1, keepdims=True)
    expected = weights / np.where(total == 0, 1, total)
    assert_allclose(read(layer, X)[1], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("chunk", [1, 3, 4, 12])
def test_l08_retention_in_chunks_is_the_recurrence_and_the_table(chunk):
    decays = [0.9, 0.5]
    log = np.log(np.array(decays))[None, :, None, None] + np.zeros((B, H, T, 1))
    output, _ = scan(gated_scan, Q, KEYS, VALUES, log, chunk=chunk)
    assert_allclose(output, one_by_one(np.exp(log)), **CLOSE)
    gaps = np.arange(T)[:, None] - np.arange(T)
    table = np.stack([np.where(gaps >= 0, d ** np.maximum(gaps, 0), 0) for d in decays])
    scores = Q @ KEYS.swapaxes(-1, -2) * table
    assert_allclose(output, scores @ VALUES, **CLOSE)
    wrong = np.stack(
        [np.where(gaps >= 0, d ** (np.maximum(gaps, 0) + 1), 0) for d in decays]
    )
    assert np.abs(Q @ KEYS.swapaxes(-1, -2) * wrong @ VALUES - output).max() > 0.1


def test_l09_retention_that_forgets_nothing_is_linear_attention():
    retention = layers.Retention(2, 3, decays=[1.0, 1.0], scale=1.0, **PLAIN)
    linear = layers.CausalLinearAttention(2, 3, feature_map="identity", normalize=False)
    randomized(retention, X)
    assert_allclose(numpy(shared(retention, linear)(X)), numpy(retention(X)), **CLOSE)
    fading = shared(retention, layers.Retention(2, 3, scale=1.0, **PLAIN))
    assert np.abs(numpy(fading(X)) - numpy(retention(X))).max() > 1e-2


def test_l10_gates_that_stay_put_are_retention_and_linear_attention():
    nothing = scan(gated_scan, Q, KEYS, VALUES)[0]
    open_ = scan(gated_scan, Q, KEYS, VALUES, np.zeros((B, H, T, K)))[0]
    assert_allclose(open_, nothing, **CLOSE)
    constant = np.full((B, H, T, 1), np.log(0.8))
    by_head = scan(gated_scan, Q, KEYS, VALUES, constant)[0]
    by_channel = scan(gated_scan, Q, KEYS, VALUES, np.repeat(constant, K, -1))[0]
    assert_allclose(by_channel, by_head, **CLOSE)
    decay = 1 / (1 + np.exp(-random(9, B, H, T, K)))
    general = scan(gated_scan, Q, KEYS, VALUES, np.log(decay), chunk=4)[0]
    assert_allclose(general, one_by_one(decay), **CLOSE)
    products = np.cumprod(decay, axis=2)
    weights = np.tril((Q * products) @ (KEYS / products).swapaxes(-1, -2))
    assert_allclose(general, weights @ VALUES, rtol=1e-3, atol=1e-4)


def test_l11_the_delta_rule_is_a_step_of_gradient_descent():
    start = random(10, B, H, K, V)
    beta = np.full((B, H, 1, 1), 0.3)
    one = slice(0, 1)
    arrays = Q[:, :, one], UNIT[:, :, one], VALUES[:, :, one], beta, None, start
    after = scan(delta_scan, *arrays)[1]
    key, value = UNIT[:, :, 0], VALUES[:, :, 0]
    error = np.einsum("bhk,bhkv->bhv", key, start) - value
    gradient = np.einsum("bhk,bhv->bhkv", key, error)
    assert_allclose(after, start - 0.3 * gradient, **CLOSE)


def test_l12_nothing_is_written_with_strength_zero_and_all_recalled_with_one():
    start = random(10, B, H, K, V)
    zero = np.zeros((B, H, T, 1))
    after = scan(delta_scan, Q, UNIT, VALUES, zero, None, start)[1]
    assert_allclose(after, start, **CLOSE)
    axes = np.broadcast_to(np.eye(K), (B, H, K, K))
    values, ones = VALUES[:, :, :K], np.ones((B, H, K, 1))
    stored = scan(delta_scan, axes, axes, values, ones)[1]
    assert_allclose(np.swapaxes(axes, -1, -2) @ stored, values, **CLOSE)
    again = scan(delta_scan, axes, axes, 2 * values, ones, None, stored)[1]
    assert_allclose(again, 2 * values, **CLOSE)  # replaced, where a sum gives 3
    added = scan(gated_scan, axes, axes, 2 * values, None, stored)[1]
    assert_allclose(added, 3 * values, **CLOSE)


@pytest.mark.parametrize("chunk", [3, 4, 12])
def test_l13_the_delta_rule_in_chunks_is_the_recurrence(chunk):
    beta = 1 / (1 + np.exp(-random(11, B, H, T, 1)))
    output = scan(delta_scan, Q, UNIT, VALUES, beta, chunk=chunk)[0]
    assert_allclose(output, one_by_one(strength=beta, key=UNIT), **CLOSE)


def test_l14_gates_of_one_and_orthogonal_keys():
    beta = 1 / (1 + np.exp(-random(11, B, H, T, 1)))
    plain = scan(delta_scan, Q, UNIT, VALUES, beta)[0]
    open_ = scan(delta_scan, Q, UNIT, VALUES, beta, np.zeros((B, H, T, 1)))[0]
    assert_allclose(open_, plain, **CLOSE)
    axes = np.broadcast_to(np.eye(T), (B, H, T, T))
    asked = random(12, B, H, T, T)
    corrected = scan(delta_scan, asked, axes, VALUES, beta)[0]
    added = scan(gated_scan, asked, axes, beta * VALUES)[0]
    assert_allclose(corrected, added, **CLOSE)
    other = scan(gated_scan, Q, UNIT, beta * VALUES)[0]
    assert np.abs(other - plain).max() > 0.1


def test_l15_prob_sparse_between_full_attention_and_the_mean():
    everyone = randomized(layers.ProbSparseAttention(2, 3, factor=T), X)
    full = layers.MultiHeadAttention(2, 3)
    full(X)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(full, name).set_weights(getattr(everyone, name).get_weights())
    assert_allclose(numpy(everyone(X)), numpy(full(X)), **CLOSE)
    few = layers.ProbSparseAttention(2, 3, factor=1)
    few(X)
    few.set_weights(everyone.get_weights())
    weights = read(few, X)[1]
    equal = np.isclose(weights, 1 / T, atol=1e-6).all(-1)
    assert (equal.sum(-1) == T - 3).all()  # ceil(ln 12) of them look


@pytest.mark.parametrize("rounds", [1, 3])
def test_l16_one_bucket_is_full_attention_to_all_others(rounds):
    layer = layers.LSHAttention(2, 3, rounds=rounds, buckets=2, chunk=16, seed=1)
    randomized(layer, X)
    one = np.zeros((B, 2, rounds, T), "int32")
    output = numpy(layer(X, buckets=one))
    query = numpy(layer.query_dense(X)).swapaxes(1, 2)
    value = numpy(layer.value_dense(X)).swapaxes(1, 2)
    key = query / np.linalg.norm(query, axis=-1, keepdims=True)
    scores = query @ key.swapaxes(-1, -2)
    scores[..., np.arange(T), np.arange(T)] = -1e5
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    context = powers / powers.sum(-1, keepdims=True) @ value
    expected = numpy(layer.output_dense(context.swapaxes(1, 2).astype("float32")))
    assert_allclose(output, expected, rtol=1e-3, atol=1e-3)


def test_l17_forgetting_nothing_is_softmax_and_evenly_is_alibi():
    layer = randomized(layers.ForgettingAttention(2, 3), X)
    layer.forget_dense.kernel.assign(np.zeros((6, 2)))
    full = layers.MultiHeadAttention(2, 3, use_bias=False)
    full(X)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(full, name).set_weights(getattr(layer, name).get_weights())
    causal = {"use_causal_mask": True, "return_attention_scores": True}
    layer.forget_bias.assign([40.0, 40.0])  # f = 1
    for ours, exact in zip(read(layer, X), numpy(full(X, **causal)), strict=True):
        assert_allclose(ours, exact, **CLOSE)
    keep = np.array([0.5, 0.8])
    layer.forget_bias.assign(np.log(keep / (1 - keep)))
    gaps = np.arange(T)[:, None] - np.arange(T)
    slopes = gaps * np.log(keep)[:, None, None]
    slopes = keras.ops.convert_to_tensor(slopes[None].astype("float32"))
    alibi = numpy(full(X, bias=slopes, **causal))
    for ours, exact in zip(read(layer, X), alibi, strict=True):
        assert_allclose(ours, exact, **CLOSE)


def test_s14_softmax_is_linear_attention_with_all_terms_of_the_exponential():
    query, key = X / 30, random(13, B, 7, 6) / 3
    taylor = randomized(layers.LinearAttention(2, 3, feature_map="taylor"), query, key)
    full = layers.MultiHeadAttention(2, 3)
    full(query, key)
    for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
        getattr(full, name).set_weights(getattr(taylor, name).get_weights())
    for name in ("query_dense", "key_dense"):  # no biases, so that scores can be small
        for layer in (taylor, full):
            bias = getattr(layer, name).bias
            bias.assign(np.zeros(bias.shape))
    near = np.abs(read(taylor, query, key)[1] - read(full, query, key)[1]).max()
    far = np.abs(read(taylor, 30 * query, key)[1] - read(full, 30 * query, key)[1])
    assert near < 1e-3 < far.max()
