"""Recurrences, images, grids and alignments read with changed weights too."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

import regard
from regard import layers
from regard.seeing.intervention import intervening
from tests.conformance.cases import CASES
from tests.conformance.subject import call, subject_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
Y = RNG.normal(size=(2, 6, 7)).astype("float32")
IMAGE = RNG.normal(size=(2, 2, 3, 8)).astype("float32")
HIDDEN = 2  # the key
RECURRENT = {
    "causal_linear": lambda: layers.CausalLinearAttention(2, 4),
    "retention": lambda: layers.Retention(2, 4),
    "gated": lambda: layers.GatedLinearAttention(2, 4),
    "delta": lambda: layers.DeltaAttention(2, 4),
    "gated_delta": lambda: layers.GatedDeltaAttention(2, 4),
    "forgetting": lambda: layers.ForgettingAttention(2, 4),
}
ALIGNMENTS = {
    "coverage": lambda: layers.CoverageAttention(4),
    "location": lambda: layers.LocationSensitiveAttention(4, filters=2, kernel_size=3),
    "forward": lambda: layers.ForwardAttention(4),
    "chunkwise": lambda: layers.ChunkwiseAttention(4, chunk_size=2),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def shown_but(size):
    return (np.arange(size) != HIDDEN)[None, None, None]


def uniform(weights, mask):
    shown = ops.cast(mask, weights.dtype)
    return shown / ops.maximum(ops.sum(shown, -1, keepdims=True), 1)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrence_takes_no_hidden_key_in(name):
    layer = RECURRENT[name]()
    before = numpy(layer(X))
    keep = np.broadcast_to(np.arange(5) != HIDDEN, (2, 5))
    masked = numpy(layer(X, mask=keep))
    with intervening(layer, shown=shown_but(5)):
        found = numpy(layer(X))
    assert_allclose(found[:, keep[0]], masked[:, keep[0]], atol=1e-5)
    assert_allclose(found[:, :HIDDEN], before[:, :HIDDEN], atol=1e-5)
    assert np.abs(found[:, HIDDEN]).max() > 1e-4  # it asks all the same
    assert np.abs(found[:, HIDDEN:] - before[:, HIDDEN:]).max() > 1e-4


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrence_reads_with_the_weights_that_are_given(name):
    layer = RECURRENT[name]()
    before = numpy(layer(X))
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(X)), before, atol=1e-6)
    with intervening(layer, change=uniform), regard.capture(layer) as maps:
        layer(X)
    trace = maps[layer.path][0]
    causal = np.tri(5) / np.arange(1, 6)[:, None]
    assert_allclose(trace.weights, np.broadcast_to(causal, (2, 2, 5, 5)), atol=1e-6)
    assert_allclose(trace.weights @ trace.value, trace.context, atol=1e-5)
    assert_allclose(numpy(layer(X)), before, atol=1e-6)


def test_a_state_is_read_as_before():
    layer = layers.DeltaAttention(2, 4)
    state = layer(X, state=layer.initial_state(2))[1]
    before = numpy(layer(X, state=state)[0])
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(X, state=state)[0]), before, atol=1e-5)
    with intervening(layer, change=lambda weights, mask: weights * 0):
        memory = numpy(layer(X, state=state)[0])  # what it held before, and that alone
    with intervening(layer, change=lambda weights, mask: weights * 0):
        nothing = numpy(layer(X))
    assert np.abs(memory - nothing).max() > 1e-4


def test_keys_hidden_from_some_queries_only_are_refused():
    layer = layers.Retention(2, 4)
    with pytest.raises(ValueError, match=r"shown must be the same .*Retention"):
        with intervening(layer, shown=np.tri(5, dtype=bool)[None, None]):
            layer(X)


@pytest.mark.parametrize("name", ALIGNMENTS)
def test_an_alignment_passes_over_hidden_keys(name):
    layer = ALIGNMENTS[name]()
    before = numpy(layer(X, Y))
    keep = np.broadcast_to(np.arange(6) != HIDDEN, (2, 5, 6))
    masked = numpy(layer(X, Y, attention_mask=keep))
    with intervening(layer, shown=shown_but(6)):
        assert_allclose(numpy(layer(X, Y)), masked, atol=1e-5)
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(X, Y)), before, atol=1e-6)
    with intervening(layer, change=uniform):
        found = numpy(layer(X, Y))
    assert_allclose(found, np.broadcast_to(Y.mean(1, keepdims=True), found.shape), 1e-4)


def test_an_alignment_within_a_decoder_is_changed_too():
    cell = keras.layers.GRUCell(4)
    layer = layers.AttentionDecoder(layers.CoverageAttention(4), cell)
    layer(X, Y)
    masked = numpy(layer(X, Y[:, np.arange(6) != HIDDEN]))
    with intervening(layer, shown=shown_but(6)):
        assert_allclose(numpy(layer(X, Y)), masked, atol=1e-5)


@pytest.mark.parametrize(
    "attention", [layers.CoverageAttention(4), layers.AdditiveAttention(4)]
)
def test_a_change_may_compute_with_numbers_at_every_step(attention):
    layer = layers.AttentionDecoder(attention, keras.layers.GRUCell(4))
    layer(X, Y)
    seen = []

    def turned(weights, mask):
        seen.append(numpy(weights))
        return ops.convert_to_tensor(seen[-1][..., ::-1].copy())

    with intervening(layer, change=turned):
        found = numpy(layer(X, Y))
    assert np.isfinite(found).all()
    assert len({each.tobytes() for each in seen}) == X.shape[1]  # a row of each step


@pytest.mark.parametrize("kind", [layers.NonLocalAttention, layers.SAGANAttention])
def test_pixels_read_no_hidden_pixel(kind):
    layer = kind(4)
    layer(IMAGE)
    layer.gain.assign(np.ones(layer.gain.shape))
    keep = np.arange(6).reshape(2, 3) != HIDDEN
    masked = numpy(layer(IMAGE, mask=np.broadcast_to(keep, (2, 2, 3))))
    with intervening(layer, shown=shown_but(6)):
        assert_allclose(numpy(layer(IMAGE))[:, keep], masked[:, keep], atol=1e-5)


def test_rows_of_a_grid_pass_over_hidden_columns():
    layer = layers.GridAttention(4)
    masked = numpy(layer(IMAGE, mask=np.broadcast_to(np.arange(3) != HIDDEN, (2, 3))))
    with intervening(layer, shown=shown_but(3)):
        assert_allclose(numpy(layer(IMAGE)), masked, atol=1e-5)
    with intervening(layer, change=uniform):
        assert_allclose(numpy(layer(IMAGE)), IMAGE.mean(2), atol=1e-5)


def test_both_axes_of_an_image_are_changed():
    layer, seen = layers.AxialAttention(2, 3), []
    before = numpy(layer(IMAGE))

    def look(weights, mask):
        seen.append(tuple(weights.shape))
        return weights

    for chosen in (None, layer.name):  # the attentions by themselves, or through it
        with intervening(layer, chosen, look):
            assert_allclose(numpy(layer(IMAGE)), before, atol=1e-5)
    assert sorted(seen) == [(4, 2, 3, 3)] * 2 + [(6, 2, 2, 2)] * 2


DOCUMENT = RNG.normal(size=(2, 3, 4, 8)).astype("float32")
REAL = np.arange(4) < np.array([[4, 2, 3], [1, 4, 0]])[..., None]


@pytest.mark.parametrize("mask", [None, REAL])
def test_words_hidden_in_a_document_are_hidden_from_both_levels(mask):
    layer = layers.HierarchicalPooling(5, 4, keras.layers.GRU(6, return_sequences=True))
    hidden = np.zeros((2, 3, 4), bool)
    hidden[0, 1, :2] = hidden[1, 0, 0] = True  # of real words, each a whole sentence
    real = np.ones_like(REAL) if mask is None else mask
    wanted = numpy(layer(DOCUMENT, mask=real & ~hidden))
    before = numpy(layer(DOCUMENT, mask=mask))
    with intervening(layer, shown=~hidden.reshape(2, 1, 1, 12)):
        found = numpy(layer(DOCUMENT, mask=mask))
    assert_allclose(found, wanted, atol=1e-6)
    assert np.abs(found - before).max() > 1e-3


@pytest.mark.parametrize("normalizer", ["softmax", "sigmoid"])
def test_the_weights_of_words_that_are_left_as_they_are_change_nothing(normalizer):
    layer = layers.HierarchicalPooling(5, 4, normalizer=normalizer)
    before = numpy(layer(DOCUMENT, mask=REAL))
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(DOCUMENT, mask=REAL)), before, atol=1e-6)


def test_words_of_a_document_may_all_weigh_the_same():
    layer = layers.HierarchicalPooling(5, 4)
    before = numpy(layer(DOCUMENT, mask=REAL))
    with intervening(layer, change=uniform), regard.capture(layer) as maps:
        found = numpy(layer(DOCUMENT, mask=REAL))
    (trace,) = maps[layer.path]
    even = REAL.reshape(2, 12) / REAL.sum((1, 2))[:, None]
    assert_allclose(trace.weights[:, 0, 0], even, atol=1e-6)
    assert_allclose(trace.extra["sentences"], even.reshape(2, 3, 4).sum(-1), 1e-5)
    mean = np.einsum("bs,bsd->bd", even, DOCUMENT.reshape(2, 12, 8))
    assert_allclose(found, mean, atol=1e-5)
    assert_allclose(numpy(layer(DOCUMENT, mask=REAL)), before, atol=1e-6)


REFUSED = {
    "attention_flow": "read each other",
    "auto_correlation": "delays",
    "copy_net": "distribution over words",
    "deformable": "points between the pixels",
    "double_attention": "two tables",
    "external": "normalized twice",
    "feature_gate": "gates and reads no keys",
    "grid_max": "largest or the mean",
    "linformer": "never makes the table",
    "lsh": "never makes the table",
    "squeeze_excitation": "gates and reads no keys",
    "temporal_pattern": "gates, a sigmoid",
}


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_with_the_reason(name):
    (case,) = (each for each in CASES if each.name == name)
    subject = subject_of(case)
    kind = type(subject.layer).__name__
    with pytest.raises(ValueError, match=rf"{kind}.*{REFUSED[name]}"):
        with intervening(subject.layer, change=lambda weights, mask: weights):
            call(case, subject.layer, subject.inputs)


def test_a_layer_that_was_not_called_is_said_to_be_so():
    with pytest.raises(ValueError, match="it was not called"):
        with intervening(layers.DotAttention(), change=uniform):
            pass


@pytest.mark.parametrize(
    "kind", [keras.layers.Attention, lambda: keras.layers.MultiHeadAttention(2, 4)]
)
def test_each_of_nested_blocks_changes_the_weights_of_keras_once(kind):
    layer, found = kind(), []

    def noted(weights, mask):
        found.append(numpy(weights))
        return weights / 2

    pair = ([X, X],) if isinstance(layer, keras.layers.Attention) else (X, X)
    layer(*pair)
    with intervening(layer, change=noted), intervening(layer, change=noted):
        layer(*pair)
    assert len(found) == 2
    assert_allclose(found[1], found[0] / 2, atol=1e-6)
