"""Maps show what a fused path read in rows without keys, or say that they cannot."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose

import regard
from regard.seeing import reducing
from regard.seeing.intervention import intervening

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
KEEP = np.arange(5) < np.array([[5], [3]])
EMPTY = KEEP[:, None, :, None] & KEEP[:, None, None]  # rows 3 and 4 of the second
HEADS = {
    "several": lambda **more: layers.MultiHeadAttention(2, 4, **more),
    "groups": lambda **more: layers.GroupQueryAttention(4, 4, 2, **more),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def masked():
    """The embedded words of a batch, with a mask of Keras."""
    words = ops.convert_to_tensor(X)
    return layers.Masking()(ops.where(KEEP[..., None], words, ops.zeros_like(words)))


def read_of(trace):
    value = np.repeat(trace.value, trace.weights.shape[1] // trace.value.shape[1], 1)
    return trace.weights @ value


@pytest.mark.parametrize("name", HEADS)
def test_rows_without_keys_show_what_the_fused_path_read(name):
    layer = HEADS[name]()
    maps = regard.attend_to(layer, X, X, attention_mask=EMPTY[:, 0])
    trace = maps[layer.path][0]
    assert_allclose(trace.weights[1, :, 3:], 1 / 5, atol=1e-6)  # over all keys
    assert_allclose(read_of(trace), trace.context, atol=1e-5)
    assert not trace.extra["unconfirmed"].any()
    assert not trace.mask[1, 0, 3:].any()


@pytest.mark.parametrize("name", HEADS)
def test_the_path_with_weights_reads_nothing_there(name):
    layer = HEADS[name](dropout=0.2)
    maps = regard.attend_to(layer, X, X, attention_mask=EMPTY[:, 0])
    trace = maps[layer.path][0]
    assert (trace.weights[1, :, 3:] == 0).all()
    assert_allclose(read_of(trace), trace.context, atol=1e-5)
    assert "unconfirmed" not in trace.extra


def test_masks_of_keras_are_seen_through_too():
    layer = HEADS["several"]()
    with regard.capture(layer) as maps:
        given = masked()
        layer(given, given)
    trace = maps[layer.path][0]
    assert set(trace.masks) == {"query", "padding"}
    assert_allclose(trace.weights[1, :, 3:], 1 / 5, atol=1e-6)


def test_half_precision_shows_what_its_backend_read():
    layer = layers.MultiHeadAttention(2, 4, dtype="float16")
    half = X.astype("float16")
    maps = regard.attend_to(layer, half, half, attention_mask=EMPTY[:, 0])
    trace = maps[layer.path][0]
    assert not trace.extra["unconfirmed"].any()
    assert_allclose(trace.weights[1, :, 3:].sum(-1), 1, atol=1e-2)
    assert_allclose(read_of(trace), trace.context, atol=1e-2)
    if keras.backend.backend() == "torch":  # as if there were no mask
        assert np.ptp(trace.weights[1, :, 3:], axis=-1).min() > 1e-3


def test_rows_that_cannot_be_told_are_flagged(tmp_path):
    layer = layers.MultiHeadAttention(2, 4, name="mha")
    layer(X, X)
    for each in layer._value_dense.weights:
        each.assign(np.zeros(each.shape))  # every reading comes to nothing
    with pytest.warns(UserWarning, match="mha: .* example 1, rows 3, 4"):
        maps = regard.attend_to(layer, X, X, attention_mask=EMPTY[:, 0])
    flagged = maps[layer.path][0].extra["unconfirmed"]
    assert flagged[1, :, 3:].all() and flagged.sum() == 4
    assert maps.to_dict()[layer.path][0]["extra"]["unconfirmed"][1][0][4]
    page = regard.report(maps, path=tmp_path / "page.html").read_text("utf-8")
    assert "mha: example 2, rows 4, 5" in page
    page = regard.report(maps, path=tmp_path / "page.html", language="ru")
    assert "mha: пример 2, строки 4, 5" in page.read_text("utf-8")


class Doubling(layers.MultiHeadAttention):
    """Reads with other weights than its scores say."""

    def _compute_attention(self, *args, **options):
        answer, weights = super()._compute_attention(*args, **options)
        return answer * 2, weights


def test_answers_that_weights_do_not_explain_are_flagged():
    layer = Doubling(2, 4)
    with pytest.warns(UserWarning, match="does not confirm"):
        maps = regard.attend_to(layer, X, X)
    assert maps[layer.path][0].extra["unconfirmed"].all()


def test_rows_chosen_and_outlines_are_confirmed_too(monkeypatch):
    layer = HEADS["several"]()
    given = {"attention_mask": EMPTY[:, 0]}
    maps = regard.attend_to(layer, X, X, rows=[4, 0], heads=[1], **given)
    trace = maps[layer.path][0]
    assert trace.extra["unconfirmed"].shape == (2, 1, 2)
    assert_allclose(trace.weights[1, :, 0], 1 / 5, atol=1e-6)
    monkeypatch.setattr(reducing, "LARGEST", 10)
    extra = regard.attend_to(layer, X, X, **given)[layer.path][0].extra
    assert_allclose(extra["entropy"][1, :, 3:], np.log(5), atol=1e-5)
    assert extra["unconfirmed"].shape == (2, 2, 5) and not extra["unconfirmed"].any()


@pytest.mark.parametrize("name", HEADS)
def test_an_intervention_reads_in_such_rows_what_the_layer_does(name):
    layer = HEADS[name]()
    given = {"attention_mask": EMPTY[:, 0]}
    before = numpy(layer(X, X, **given))
    with intervening(layer, change=lambda weights, mask: weights):
        assert_allclose(numpy(layer(X, X, **given)), before, atol=1e-5)


def test_nothing_is_said_where_all_is_confirmed():
    layer = HEADS["several"]()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        regard.attend_to(layer, X, X, attention_mask=EMPTY[:, 0])
        regard.attend_to(layer, X, X, use_causal_mask=True)


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2}, {"dtype": "float16"}])
def test_rows_without_keys_are_explained_as_they_were_read(options):
    layer = HEADS["several"](**options)
    given = X.astype(layer.compute_dtype)
    maps = regard.attend_to(layer, given, given, attention_mask=EMPTY[:, 0])
    steps = regard.explain(maps[layer.path][0], query=4, head=1, example=1)
    assert not [each for each in steps.checks if each.failed]
    assert {each.what for each in steps.checks} >= {"weights", "context"}
