"""What position schemes and local attention of other packages get wrong."""

import numpy as np
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard import Window, layers, positions
from tests.invariants.tools import numpy, random, randomized, read

X = random(7, 2, 9, 8)


def heads(**options):
    return randomized(layers.MultiHeadAttention(2, 4, **options), X)


def test_alibi_of_a_row_is_counted_from_its_own_query():
    """Keras Hub gives every row the bias of the last one."""
    biases = heads(position=positions.ALiBi()).trace(X).scores - heads().trace(X).scores
    for i, j in np.ndindex(9, 9):
        assert_allclose(biases[0, 0, i, j], -abs(i - j) / 16, atol=1e-4)


def test_a_window_of_four_keys_shows_four_also_at_the_seams_of_blocks():
    """local-attention shows five with exact_windowsize, else up to two blocks."""
    _, weights = read(heads(scope=Window(3)), X)
    seen = (weights > 0).sum(-1)
    assert_array_equal(seen, np.broadcast_to([1, 2, 3, *[4] * 6], seen.shape))


def test_a_length_that_is_no_multiple_of_anything_sees_no_padding():
    """local-attention pads with zero keys, which real queries then look at."""
    layer = heads(scope=Window(2, 2))
    whole = numpy(layer(X))
    assert_allclose(numpy(layer(X[:, :7]))[:, :5], whole[:, :5], rtol=1e-5, atol=1e-6)


def test_rotations_turn_queries_and_keys():
    """One side alone makes scores depend on the place itself."""
    scheme, place = positions.RoPE(), np.arange(9, dtype="int32")
    vectors = ops.convert_to_tensor(X[:, None])
    query = numpy(scheme.place_queries(vectors, place))
    assert_allclose(query, numpy(scheme.place_keys(vectors, place)), rtol=1e-6)
    assert np.abs(query[:, :, 1:] - X[:, None, 1:]).max() > 0.1


def test_rotations_are_computed_in_float32():
    """Half precision loses places far from the start."""
    vectors = np.ones((1, 1, 2, 8), "float16")
    far = np.array([30000, 30001], "int32")
    found, exact = (
        numpy(positions.RoPE().rotate(ops.convert_to_tensor(each), far))
        for each in (vectors, vectors.astype("float32"))
    )
    assert_allclose(found.astype("float32"), exact, atol=2e-3)


def test_positions_do_not_move_with_the_path_for_long_inputs():
    """Caches of biases that know only the first length are a known fault."""
    for scheme in (
        positions.ALiBi(),
        positions.T5Bias(),
        positions.ShawRelative(3),
        positions.TransformerXLRelative(),
        positions.DisentangledRelative(4),
    ):
        layer = heads(position=scheme)
        first = numpy(layer(X[:, :4]))
        layer(np.concatenate([X, X], axis=1))
        assert_array_equal(numpy(layer(X[:, :4])), first)
