"""Capturing shows what a model attends to and leaves the model alone."""

import keras
import numpy as np
import pytest
from keras import ops

import regard
from regard.layers import (
    AdditiveAttention,
    AttentionDecoder,
    AttentionPooling,
    MultiHeadAttention,
)

# A nested Functional model drops masks; Keras warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'inner'")


@pytest.fixture
def model():
    ids = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(11, 6, mask_zero=True)(ids)
    inner_input = keras.Input((None, 6))
    inner = keras.Model(
        inner_input, MultiHeadAttention(2, 3)(inner_input), name="inner"
    )
    shared = AdditiveAttention(5, name="shared")
    once = shared(embedded)
    twice = shared(once, embedded)
    pooled = AttentionPooling(name="pool")(inner(twice))
    return keras.Model(ids, keras.layers.Dense(1)(pooled))


@pytest.fixture
def ids():
    return np.array(
        [[1, 2, 3, 0], [4, 5, 0, 0], [6, 7, 8, 9], [1, 1, 0, 0], [2, 3, 4, 0]]
    )


def test_outputs_are_those_without_capture(model, ids):
    before = ops.convert_to_numpy(model(ids))
    with regard.capture(model) as maps:
        inside = ops.convert_to_numpy(model(ids))
    np.testing.assert_array_equal(before, inside)
    assert sorted(len(calls) for calls in maps.values()) == [1, 1, 2]
    assert len(maps["shared"]) == 2


def test_weights_are_a_distribution_over_real_words(model, ids):
    with regard.capture(model) as maps:
        model(ids)
    weights = maps["shared"][0].weights  # (B, 1, T, S)
    real = ids != 0
    sums = weights.sum(-1)[:, 0]
    np.testing.assert_allclose(sums, real.astype("float32"), atol=1e-6)
    assert (weights[~np.broadcast_to(real[:, None, None], weights.shape)] == 0).all()


def test_batches_of_predict_are_joined(model, ids):
    expected = model.predict(ids, batch_size=2, verbose=0)
    with regard.capture(model) as maps:
        got = model.predict(ids, batch_size=2, verbose=0)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert len(maps["shared"]) == 2
    assert maps["shared"][0].weights.shape == (5, 1, 4, 4)
    with regard.capture(model) as whole:
        model(ids)
    np.testing.assert_allclose(
        maps["shared"][1].weights, whole["shared"][1].weights, rtol=1e-5, atol=1e-6
    )


class Reader(keras.Model):
    """Built by its first call alone, as most subclassed models are."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(11, 6, mask_zero=True)
        self.attention = keras.layers.MultiHeadAttention(2, 3)

    def call(self, ids):
        embedded = self.embedding(ids)
        return self.attention(embedded, embedded)


@pytest.mark.parametrize("batch", [2, None])
def test_the_call_that_builds_a_model_is_not_recorded(ids, batch):
    """On JAX ``predict`` begins with one, whose weights nobody keeps."""
    reader = Reader()
    with regard.capture(reader) as maps:
        if batch is None:
            reader.predict_on_batch(ids)
        else:
            reader.predict(ids, batch_size=batch, verbose=0)
    (calls,) = maps.values()
    assert [call.weights.shape for call in calls] == [(5, 2, 4, 4)]
    (again,) = regard.attend_to(reader, ids).values()
    np.testing.assert_allclose(calls[0].weights, again[0].weights, atol=1e-6)


def test_nothing_stays_after_an_exception(model, ids, tmp_path):
    model.compile("adam", "mse")
    model.predict(ids, verbose=0)
    compiled = model.predict_function
    with pytest.raises(RuntimeError), regard.capture(model):
        raise RuntimeError
    assert model.predict_function is compiled and not model.run_eagerly
    assert "predict" not in vars(model) and "predict_step" not in vars(model)
    model.fit(ids, np.zeros((5, 1)), verbose=0)
    model.save(tmp_path / "model.keras")


@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_a_decoder_shows_the_weights_of_every_step(query):
    words, memory = keras.Input((None, 5)), keras.Input((None, 6))
    cell = keras.layers.GRUCell(4)
    decoder = AttentionDecoder(AdditiveAttention(3), cell, query=query, name="decoder")
    model = keras.Model([words, memory], decoder(words, memory))
    inputs = [np.ones((2, 3, 5), "float32"), np.ones((2, 7, 6), "float32")]
    before = ops.convert_to_numpy(model(inputs))
    with regard.capture(model) as maps:
        inside = ops.convert_to_numpy(model(inputs))
    np.testing.assert_array_equal(before, inside)
    (calls,) = maps.values()
    assert calls.weights.shape == (2, 1, 3, 7) and calls.mechanism == "decoder"
    np.testing.assert_allclose(calls.weights.sum(-1), 1, rtol=1e-5)


def test_captures_may_be_nested(model, ids):
    model.compile("adam", "mse")
    with regard.capture(model) as outer:
        with regard.capture(model, layers="pool") as inner:
            model.predict(ids, verbose=0)
        model.predict(ids, verbose=0)
    assert len(inner) == 1 and len(inner["pool"]) == 1
    assert len(outer["pool"]) == 2 and not model.run_eagerly
    assert "predict" not in vars(model)


def test_training_goes_on_while_captured(model, ids):
    model.compile("adam", "mse")
    with regard.capture(model) as maps:
        model.fit(ids, np.zeros((5, 1)), batch_size=5, verbose=0)
    assert maps["pool"].weights.shape == (5, 1, 1, 4)


@pytest.mark.filterwarnings("ignore:.*ran inside traced code")
def test_vectorized_code_goes_on_while_captured():
    inputs = keras.Input((3, 4, 6))
    pooling = keras.layers.TimeDistributed(AttentionPooling())
    model = keras.Model(inputs, pooling(inputs))
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")
    expected = ops.convert_to_numpy(model(values))
    with regard.capture(model):
        inside = ops.convert_to_numpy(model(values))
        AttentionPooling()(keras.Input((4, 6)))  # symbolic calls go on too
    np.testing.assert_allclose(inside, expected, rtol=1e-6)


def test_batches_with_a_bias_are_joined():
    query, value, bias = (keras.Input(shape) for shape in ((3, 4), (5, 4), (1, 3, 5)))
    layer = MultiHeadAttention(2, 3)
    model = keras.Model([query, value, bias], layer(query, value, bias=bias))
    shapes = (3, 3, 4), (3, 5, 4), (3, 1, 3, 5)
    data = [np.random.default_rng(1).normal(size=s).astype("float32") for s in shapes]
    with regard.capture(model) as maps:
        model.predict(data, batch_size=2, verbose=0)
    (calls,) = maps.values()
    assert calls.weights.shape == (3, 2, 3, 5)
    np.testing.assert_allclose(calls.bias, data[2], rtol=1e-6)


def test_a_wrong_name_is_refused(model):
    with (
        pytest.raises(ValueError, match="layers must name"),
        regard.capture(model, "no"),
    ):
        pass


def test_a_model_without_attention_is_refused():
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="must contain"), regard.capture(plain):
        pass


def test_layers_of_one_path_are_told_apart():
    stack = keras.Sequential(
        [
            keras.Input((4, 6)),
            AdditiveAttention(3, name="a"),
            AttentionPooling(name="a2"),
        ]
    )
    with regard.capture(stack, layers="a") as maps:
        stack(np.ones((2, 4, 6), "float32"))
    assert len(maps) == 1 and maps[next(iter(maps))].weights.shape == (2, 1, 4, 4)


class HandmadeAttention(keras.layers.Layer):
    """Of no class that capture knows."""

    def call(self, inputs):
        scores = ops.matmul(inputs, ops.swapaxes(inputs, 1, 2))
        return ops.matmul(ops.softmax(scores), inputs)


def test_layers_that_cannot_be_read_are_named():
    inputs = keras.Input((4, 6))
    output = HandmadeAttention(name="own")(AdditiveAttention(3, name="a")(inputs))
    model = keras.Model(inputs, output)
    with (
        pytest.warns(UserWarning, match="own is not captured: HandmadeAttention"),
        regard.capture(model) as maps,
    ):
        model(np.ones((2, 4, 6), "float32"))
    assert list(maps) == ["a"] and list(maps.unread) == ["own"]
    with regard.capture(model, layers="a") as maps:  # nothing is said of others
        assert not maps.unread


def test_captures_of_keras_layers_may_be_nested():
    layer, given = keras.layers.MultiHeadAttention(1, 2), np.ones((1, 3, 4), "float32")
    with regard.capture(layer) as outer:
        with regard.capture(layer) as inner:
            layer(given, given)
        layer(given, given)
    assert [len(calls) for calls in inner.values()] == [1]
    assert [len(calls) for calls in outer.values()] == [2]
    assert "_compute_attention" not in vars(layer)


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match=r"model must be a Keras model or layer.*str"):
        regard.attend_to("model", np.ones((1, 2)))


def test_a_call_in_training_is_recorded_as_one(model, ids):
    model.compile("adam", "mse")
    with regard.capture(model) as maps:
        model(ids)
        model(ids, training=True)
        model.predict(ids, verbose=0)
        model.fit(ids, np.zeros((5, 1)), batch_size=5, verbose=0)
    assert [each.training for each in maps["pool"]] == [False, True, False, True]
    dicts = maps.to_dict()["pool"]
    assert [each["training"] for each in dicts] == [False, True, False, True]
    said = ["training" in repr(each) for each in maps["pool"]]
    assert said == [False, True, False, True]


def test_a_trace_says_in_which_mode_it_was_made(tmp_path):
    layer = MultiHeadAttention(2, 3, dropout=0.5)
    given = np.ones((1, 4, 6), "float32")
    assert not layer.trace(given).training
    assert layer.trace(given, training=True).training
    with regard.capture(layer) as maps:
        layer(given, training=True)
    again = type(maps).load(maps.save(tmp_path / "maps"))
    assert again[layer.path][0].training


class Block(keras.layers.Layer):
    """Two attentions, one after the other."""

    def __init__(self, number):
        super().__init__(name=f"block_{number}")
        self.first = keras.layers.MultiHeadAttention(1, 2, name=f"first_{number}")
        self.second = AdditiveAttention(2, name=f"second_{number}")

    def call(self, x):
        return self.second(self.first(x, x), x)


class Stack(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="stack")
        self.blocks = [Block(number) for number in range(3)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_maps_come_in_the_order_of_the_layers_however_deep_they_stand():
    x = np.ones((1, 3, 2), "float32")
    wanted = [f"{name}_{n}" for n in range(3) for name in ("first", "second")]
    for model in (Stack(), keras.Sequential([Stack()])):
        maps = regard.attend_to(model, x)
        assert [name.split("/")[-1] for name in maps] == wanted
