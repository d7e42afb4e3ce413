"""R: positions, in queries and keys, in scores, and in what is read."""

import math

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import Causal, Window, layers, positions
from regard.core.positions.alibi import slopes
from regard.core.positions.t5 import bucket_of
from regard.core.scopes import Grid
from tests.invariants.tools import numpy, random, randomized, read

X = random(3, 2, 7, 8)
FREQUENCIES = [10000.0 ** (-2 * i / 16) for i in range(8)]


def attention(position=None, scope=None, seed=0, **options):
    """Two heads with random weights, the same for every scheme without weights."""
    layer = layers.MultiHeadAttention(2, 4, position=position, scope=scope, **options)
    return randomized(layer, X, seed=seed)


def turned(scheme, vectors, places):
    vectors = ops.convert_to_tensor(vectors[:, None])
    return numpy(scheme.rotate(vectors, np.asarray(places, "int32")))[:, 0]


def scores(layer, **options):
    return layer.trace(X, **options).scores


def bias_of(scheme, heads, queries, keys, *weights, width=4):
    query, key = (
        ops.zeros((1, heads, queries, width)),
        ops.zeros((1, heads, keys, width)),
    )
    return numpy(scheme.bias(query, key, Grid.of(queries, keys), *weights))


def test_r01_rotations_see_only_differences():
    layer, places = attention(positions.RoPE()), np.arange(7)
    there = numpy(layer(X, query_positions=places + 1000, key_positions=places + 1000))
    assert_allclose(there, numpy(layer(X)), rtol=1e-3, atol=1e-4)


def test_r02_rotations_keep_lengths_and_place_0_turns_nothing():
    found = turned(positions.RoPE(), X, [0, 1, 5, 9, 100, 3, 2])
    lengths = np.linalg.norm(X, axis=-1)
    assert_allclose(np.linalg.norm(found, axis=-1), lengths, rtol=1e-5)
    assert_allclose(found[:, 0], X[:, 0], rtol=1e-6)


def test_r03_r04_pairings_agree_after_one_permutation_and_not_before():
    order = np.arange(8).reshape(2, 4).T.ravel()  # 0 4 1 5 …: halves side by side
    places = np.arange(7)
    halves = turned(positions.RoPE(), X, places)
    pairs = positions.RoPE(pairing="interleaved")
    assert_allclose(turned(pairs, X[..., order], places), halves[..., order], atol=1e-5)
    mixed = np.einsum("btd,bsd->bts", halves, turned(pairs, X, places))
    right = np.einsum("btd,bsd->bts", halves, halves)
    assert np.abs(mixed - right).max() > 0.1


@pytest.mark.parametrize(
    "scaling",
    [positions.Linear(1), positions.NTK(1), positions.YaRN(1, 64)],
    ids=repr,
)
def test_r05_a_scale_of_1_is_none(scaling):
    found = turned(positions.RoPE(scaling=scaling), X, np.arange(7))
    assert_allclose(found, turned(positions.RoPE(), X, np.arange(7)), atol=1e-6)


def test_r05_ntk_keeps_the_fastest_turn_and_divides_the_slowest_by_the_scale():
    found = positions.NTK(4).frequencies(FREQUENCIES, 10000.0, 16)
    assert found[0] == FREQUENCIES[0]
    assert_allclose(found[-1], FREQUENCIES[-1] / 4, rtol=1e-12)


def test_r06_yarn_lies_between_squeezed_and_plain():
    found = np.array(positions.YaRN(4, 32).frequencies(FREQUENCIES, 10000.0, 16))
    squeezed = np.array(positions.Linear(4).frequencies(FREQUENCIES, 10000.0, 16))
    assert (found >= squeezed - 1e-12).all()
    assert (found <= np.array(FREQUENCIES) + 1e-12).all()
    assert found[0] == FREQUENCIES[0] and found[-1] == squeezed[-1]


def test_r07_waves_turn_alike_everywhere_and_know_distances():
    layer = layers.SinusoidalPositions()
    waves = numpy(layer(np.zeros((1, 20, 8), "float32")))[0]
    for k in (1, 5):
        turn = np.zeros((8, 8))
        for m in range(4):
            angle = k * 10000.0 ** (-2 * m / 8)
            c, s = math.cos(angle), math.sin(angle)
            turn[2 * m : 2 * m + 2, 2 * m : 2 * m + 2] = [[c, s], [-s, c]]
        assert_allclose(waves[k:], waves[:-k] @ turn.T, atol=1e-5)
        products = np.sum(waves[k:] * waves[:-k], axis=-1)
        assert_allclose(products, products[0], rtol=1e-4)


def test_r08_slopes():
    assert slopes(8) == [2.0**-h for h in range(1, 9)]
    sixteen = np.array(slopes(16))
    assert_allclose(sixteen[1:] / sixteen[:-1], 2**-0.5)
    assert_allclose(slopes(12), [*slopes(8), *slopes(16)[0:8:2]])


def key_only(heads):
    """m times the key's place: the shortcut of some libraries."""
    steep = np.array(slopes(heads), "float32")
    return steep[None, :, None, None] * np.arange(7, dtype="float32")


def test_r09_under_a_causal_softmax_the_place_of_the_key_is_enough():
    whole = numpy(attention(positions.ALiBi(), Causal())(X))
    short = numpy(attention(scope=Causal())(X, bias=key_only(2)))
    assert_allclose(short, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("normalizer", ["sigmoid", "off_by_one"])
def test_r10_under_other_normalizers_it_is_not(normalizer):
    options = {"scope": Causal(), "normalizer": normalizer}
    whole = numpy(attention(positions.ALiBi(), **options)(X))
    short = numpy(attention(**options)(X, bias=key_only(2)))
    assert np.abs(short - whole).max() > 1e-2


def test_r10_nor_in_both_directions():
    whole = numpy(attention(positions.ALiBi())(X))
    assert np.abs(numpy(attention()(X, bias=key_only(2))) - whole).max() > 1e-2


def buckets(offsets, bidirectional):
    offsets = ops.convert_to_tensor(np.asarray(offsets, "int32"))
    return numpy(bucket_of(offsets, 32, 128, bidirectional))


def test_r11_causal_buckets():
    back = buckets(-np.arange(200), bidirectional=False)
    assert_array_equal(back[:16], np.arange(16))
    assert (np.diff(back) >= 0).all() and back.max() == 31
    assert np.flatnonzero(back == 31)[0] == 113


def test_r11_buckets_in_both_directions():
    back = buckets(-np.arange(200), bidirectional=True)
    ahead = buckets(np.arange(200), bidirectional=True)
    assert_array_equal(back[:8], np.arange(8))
    assert_array_equal(ahead[1:], back[1:] + 16)


def waves(distance, size):
    angles = distance * 10000.0 ** (-2 * np.arange(size // 2) / size)
    return np.concatenate([np.sin(angles), np.cos(angles)])


def test_r12_waves_of_differences_are_those_of_the_table():
    """Neither a gather nor a shifted matrix is used, and the numbers are theirs."""
    layer = attention(positions.TransformerXLRelative())
    table = attention(positions.TransformerXLRelative(reach=6))
    kernel = numpy(layer.part_weights["position"][0].value)
    rows = [np.einsum("e,ehd->hd", waves(d, 8), kernel) for d in range(-6, 7)]
    table.set_weights([np.stack(rows), *layer.get_weights()[1:]])
    assert_allclose(scores(table), scores(layer), rtol=1e-4, atol=1e-4)


def test_r12_the_shifted_matrix_is_right_on_the_causal_triangle_alone():
    rows = random(5, 6, 6)  # products of queries with distances 5 … 0
    padded = np.concatenate([np.zeros((6, 1)), rows], axis=1)
    shifted = padded.reshape(7, 6)[1:]
    gathered = np.array([[rows[i, 5 - abs(i - j)] for j in range(6)] for i in range(6)])
    lower = np.tril(np.ones((6, 6), bool))
    assert_array_equal(shifted[lower], gathered[lower].astype(shifted.dtype))
    assert np.abs(shifted - gathered)[~lower].max() > 0.1


def test_r13_shaw():
    layer = attention(positions.ShawRelative(6))
    far = attention(positions.ShawRelative(9))
    weights = layer.get_weights()
    far.set_weights([np.pad(w, ((3, 3), (0, 0))) for w in weights[:2]] + weights[2:])
    assert_allclose(numpy(far(X)), numpy(layer(X)), rtol=1e-5, atol=1e-6)
    layer.set_weights([0 * w for w in weights[:2]] + weights[2:])
    plain = attention()
    plain.set_weights(weights[2:])
    assert_allclose(numpy(layer(X)), numpy(plain(X)), rtol=1e-5, atol=1e-6)


def test_r14_the_orders_of_deberta_are_one_function_with_a_table_turned():
    paper = attention(positions.DisentangledRelative(7, order="paper"))
    code = attention(positions.DisentangledRelative(7, order="code"))
    keys, queries, *rest = paper.get_weights()
    # Row k + d becomes k - d; row 0 has no partner, and distance -7 does not occur.
    turned_queries = np.concatenate([queries[:1], queries[:0:-1]])
    code.set_weights([keys, turned_queries, *rest])
    assert_allclose(scores(code), scores(paper), rtol=1e-5, atol=1e-5)
    code.set_weights([keys, queries, *rest])
    assert np.abs(scores(code) - scores(paper)).max() > 1e-2


def test_r14_without_tables_contents_are_divided_by_the_root_of_three_widths():
    layer = attention(positions.DisentangledRelative(7))
    weights = layer.get_weights()
    layer.set_weights([0 * w for w in weights[:2]] + weights[2:])
    plain = attention()
    plain.set_weights(weights[2:])
    assert_allclose(scores(layer), scores(plain) / math.sqrt(3), rtol=1e-4, atol=1e-5)


def test_r15_turns_of_nothing_are_no_positions():
    still = positions.RoPE(scaling=positions.Linear(1e30))
    assert_allclose(numpy(attention(still)(X)), numpy(attention()(X)), atol=1e-6)


def test_r15_pairs_may_be_left_as_they_are():
    """p-RoPE: the slow half of the pairs does not turn."""
    kept = positions.RoPE(scaling=positions.LongRoPE([1, 1, 1e30, 1e30]))
    found = turned(kept, X, np.arange(7))
    whole = turned(positions.RoPE(), X, np.arange(7))
    assert_array_equal(found[..., [0, 1, 4, 5]], whole[..., [0, 1, 4, 5]])
    assert_allclose(found[..., [2, 3, 6, 7]], X[..., [2, 3, 6, 7]], atol=1e-6)


def test_r16_buckets_depend_on_differences_alone():
    table = random(8, 32, 3)
    found = bias_of(positions.T5Bias(), 3, 9, 9, ops.convert_to_tensor(table))[0]
    for offset in range(-8, 9):
        diagonal = np.diagonal(found, offset, axis1=1, axis2=2)
        assert_array_equal(diagonal, np.repeat(diagonal[:, :1], diagonal.shape[1], 1))


def test_r16_windows_depend_on_differences_alone():
    """In two directions: as many different numbers as pairs of distances."""
    table = np.arange(35.0, dtype="float32")[:, None]
    scheme = positions.WindowBias((3, 4))
    found = bias_of(scheme, 1, 12, 12, ops.convert_to_tensor(table))[0, 0]
    for i, j in np.ndindex(12, 12):
        down, right = i // 4 - j // 4, i % 4 - j % 4
        assert found[i, j] == (down + 2) * 7 + right + 3


def test_r17_heads_that_look_at_one_place_each_are_a_convolution():
    """Cordonnier 2020: three heads at offsets -1, 0 and 1."""
    inputs, kernel = random(9, 2, 6, 5), random(10, 3, 5, 4)
    weights = np.zeros((3, 6, 6), bool)
    for head, offset in enumerate((-1, 0, 1)):
        for i in range(6):
            if 0 <= i + offset < 6:
                weights[head, i, i + offset] = True
    layer = layers.MultiHeadAttention(3, 2, value_dim=5, use_bias=False, output_shape=4)
    layer(inputs)
    query, key, value, _ = layer.get_weights()
    whole = np.repeat(np.eye(5, dtype="float32")[:, None], 3, axis=1)
    layer.set_weights([query, key, whole.reshape(value.shape), kernel])
    found = numpy(layer(inputs, attention_mask=weights[None]))
    padded = np.pad(inputs, ((0, 0), (1, 1), (0, 0)))
    expected = sum(padded[:, tap : tap + 6] @ kernel[tap] for tap in range(3))
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_span_over_everything_is_none_and_a_sharp_one_a_window():
    wide = attention(positions.AdaptiveSpan(20, start=1.0))
    wide.part_weights["position"][0].assign([1.0, 1.0])
    plain = attention()
    plain.set_weights(wide.get_weights()[1:])
    assert_allclose(numpy(wide(X)), numpy(plain(X)), rtol=1e-5, atol=5e-6)
    sharp = attention(positions.AdaptiveSpan(20, ramp=0.5))
    sharp.set_weights([np.array([0.1, 0.1]), *wide.get_weights()[1:]])
    window = attention(scope=Window(2, 2))
    window.set_weights(plain.get_weights())
    assert_allclose(numpy(sharp(X)), numpy(window(X)), rtol=1e-4, atol=1e-5)


def test_a_span_has_its_price():
    layer = layers.MultiHeadAttention(
        2, 4, position=positions.AdaptiveSpan(8, start=0.5, penalty=0.1)
    )
    layer(X)
    assert_allclose(float(numpy(sum(layer.losses))), 0.1 * (0.5 + 0.5), rtol=1e-6)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_padding_on_the_left_moves_no_place(kind):
    layer = (
        layers.SinusoidalPositions()
        if kind == "sinusoidal"
        else randomized(layers.LearnedPositions(9), X)
    )
    padded = np.concatenate([np.full((2, 2, 8), np.nan, "float32"), X], axis=1)
    keep = np.arange(9) >= 2
    found = numpy(layer(padded, mask=np.stack([keep, keep])))
    assert_allclose(found[:, 2:], numpy(layer(X)), rtol=1e-6)
    assert_array_equal(found[:, :2], np.zeros((2, 2, 8)))


def test_a_longer_input_than_the_table_is_refused():
    with pytest.raises(ValueError, match="inputs must be no longer than the table, 5"):
        layers.LearnedPositions(5)(X)


def test_longformer_with_a_wide_window_and_no_global_token_is_multi_head():
    near = randomized(layers.LongformerAttention(2, 4, 6, global_positions=()), X)
    heads = layers.MultiHeadAttention(2, 4)
    heads(X)
    weights = near.get_weights()
    heads.set_weights([*weights[:6], *weights[12:]])
    assert_allclose(numpy(near(X)), numpy(heads(X)), rtol=1e-4, atol=1e-5)


def test_longformer_with_every_token_global_is_its_second_attention():
    layer = randomized(layers.LongformerAttention(2, 4, 1), X)
    heads = layers.MultiHeadAttention(2, 4)
    heads(X)
    heads.set_weights(layer.get_weights()[6:])
    everyone = np.ones((2, 7), bool)
    found = numpy(layer(X, global_mask=everyone))
    assert_allclose(found, numpy(heads(X)), rtol=1e-4, atol=1e-5)


def test_transformer_xl_reads_a_memory_as_one_longer_sequence():
    layer = attention(positions.TransformerXLRelative(), Causal())
    whole = read(layer, X)
    later = read(layer, X[:, 4:], X)
    assert_allclose(later[0], whole[0][:, 4:], rtol=1e-4, atol=1e-5)
