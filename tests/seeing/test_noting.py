"""What a captured call took and answered stands beside what it recorded."""

from functools import wraps

import keras
import numpy as np
import pytest
from keras import ops

import regard
from regard import layers
from regard.seeing import noting

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype("float32")


@pytest.fixture
def model():
    inputs = keras.Input((5, 6))
    between = layers.MultiHeadAttention(2, 3, name="ours")(inputs)
    after = keras.layers.MultiHeadAttention(2, 3, name="theirs")(between, between)
    pooled = layers.AttentionPooling(name="pooled")(after)
    return keras.Model(inputs, pooled)


def test_the_answer_is_what_the_layer_gave(model):
    with regard.capture(model) as maps:
        answer = model(X)
    np.testing.assert_array_equal(maps["pooled"].output, ops.convert_to_numpy(answer))
    inside = keras.Model(model.input, model.get_layer("ours").output)(X)
    np.testing.assert_allclose(
        maps["ours"].output, ops.convert_to_numpy(inside), rtol=1e-6
    )
    np.testing.assert_array_equal(maps["theirs"].inputs["query"], maps["ours"].output)


def test_answers_of_batches_are_joined(model):
    with regard.capture(model) as maps:
        answer = model.predict(X, batch_size=3, verbose=0)
    [call] = maps["pooled"]
    np.testing.assert_allclose(call.output, answer, rtol=1e-6)
    steps = regard.explain(maps["theirs"][0], example=3, query=1)
    assert steps.passed
    assert steps[-1].check.what == "output"


def test_a_wrong_answer_is_found(model):
    with regard.capture(model) as maps:
        model(X)
    [call] = maps["ours"]
    call.output[0, 2] += 1e-2
    assert regard.explain(call, query=2)[-1].check.failed
    assert regard.explain(call, query=1).passed


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX calls back")
def test_answers_leave_compiled_code_too(model):
    def call(x):
        weights = model.trainable_variables, model.non_trainable_variables
        return model.stateless_call(*weights, x, training=False)[0]

    import jax

    plain = jax.jit(call)(X)
    with regard.capture(model) as maps:
        captured = jax.jit(lambda x: call(x))(X)
    np.testing.assert_array_equal(captured, plain)
    np.testing.assert_array_equal(maps["pooled"].output, plain)
    model.compile("sgd", "mse")
    with regard.capture(model) as trained:
        model.fit(X, np.zeros((4, 6)), batch_size=2, verbose=0)
    for call in (*maps.values(), *trained.values()):
        steps = regard.explain(call[0], query=0)
        assert steps.passed
        assert steps[-1].check.what == "output"


def test_what_a_loop_records_leaves_it_alone():
    cell = keras.layers.GRUCell(6)
    layer = layers.AttentionDecoder(layers.AdditiveAttention(4), cell)
    layer(X, X)

    def call(x):
        return layer(x, x, return_attention_scores=True)

    if keras.backend.backend() == "jax":
        import jax

        call = jax.jit(call)
    with regard.capture(layer) as maps:
        answer = call(X)
    [[trace]] = maps.values()
    np.testing.assert_allclose(
        trace.weights[:, 0], ops.convert_to_numpy(answer[1]), rtol=1e-6
    )


@pytest.mark.parametrize("options", [{"rows": [1]}, {"heads": [0]}])
def test_rows_and_heads_come_without_an_answer(model, options):
    with regard.capture(model, **options) as maps:
        model(X)
    assert maps["ours"].output is None


def test_an_answer_larger_than_weights_may_be_is_left_out(model, monkeypatch):
    monkeypatch.setattr(noting, "LARGEST", 100)
    for whole in (False, True):
        with regard.capture(model, whole=whole) as maps:
            model(X)
        assert (maps["ours"].output is not None) is whole
        assert maps["pooled"].output is not None


def test_what_was_recorded_before_an_exception_is_kept():
    class Failing(layers.MultiHeadAttention):
        @wraps(layers.MultiHeadAttention.call)
        def call(self, *args, **kwargs):
            super().call(*args, **kwargs)
            raise RuntimeError("on purpose")

    layer = Failing(2, 3, name="failing")
    with (
        regard.capture(layer) as maps,
        pytest.raises(RuntimeError, match="on purpose"),
    ):
        layer(X)
    assert maps["failing"].weights.shape == (4, 2, 5, 5)
    assert maps["failing"].output is None


def test_a_layer_without_weights_keeps_its_inputs():
    layer = layers.LinearAttention(2, 3)
    layer(X)
    with regard.capture(layer) as maps:
        layer(X)
    [[call]] = maps.values()
    assert call.inputs
    assert regard.explain(call, query=2)[-1].check.what == "output"
