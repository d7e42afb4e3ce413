"""Keras' own attention layers are explained with their settings and weights."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import regard

WIDTH, QUERIES, KEYS = 4, 3, 5
# The kernel that Keras calls on JAX takes values as wide as keys only.
VALUE_DIM = 3 if keras.backend.backend() == "jax" else 5
PAIRS = {
    "dot": (keras.layers.Attention, {}),
    "scaled": (keras.layers.Attention, {"use_scale": True}),
    "concat": (keras.layers.Attention, {"score_mode": "concat"}),
    "concat_scaled": (
        keras.layers.Attention,
        {"score_mode": "concat", "use_scale": True},
    ),
    "additive": (keras.layers.AdditiveAttention, {}),
    "additive_plain": (keras.layers.AdditiveAttention, {"use_scale": False}),
}
HEADS = {
    "multi_head": (keras.layers.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}),
    "wide": (
        keras.layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": VALUE_DIM, "output_shape": 6},
    ),
    "no_bias": (
        keras.layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "use_bias": False},
    ),
    "gated": (
        keras.layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "use_gate": True},
    ),
    "grouped": (
        keras.layers.GroupQueryAttention,
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    ),
}
MECHANISMS = {
    **dict.fromkeys(PAIRS, "Additive attention"),
    **dict.fromkeys(("dot", "scaled"), "Dot attention"),
}


def made(name):
    """A layer with weights far from where they start, and what it is called with."""
    kind, options = (PAIRS | HEADS)[name]
    rng = np.random.default_rng(len(name))
    sizes = {"query": (2, QUERIES, WIDTH), "value": (2, KEYS, WIDTH)}
    given = {n: rng.normal(size=size).astype("float32") for n, size in sizes.items()}
    layer = kind(**options, name="watched")
    arguments = ([*given.values()],) if name in PAIRS else (*given.values(),)
    layer(*arguments)
    for each in layer.trainable_weights:
        each.assign(rng.normal(size=each.shape))
    return layer, given


def all_green(steps, *wanted):
    wrong = [
        (step.name, step.check)
        for step in steps
        if step.check is not None and step.check.failed
    ]
    assert not wrong, f"{wrong}\n{steps}"
    assert {check.what for check in steps.checks} >= {*wanted, "weights"}
    assert "{" not in str(steps)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("name", [*PAIRS, *HEADS])
def test_a_layer_called_directly(name, language):
    layer, given = made(name)
    steps = regard.explain(layer, *given.values(), query=-1, language=language)
    projected = {"query", "key", "value"} if name in HEADS else set()
    all_green(steps, "scores", "context", "output", *projected)
    assert "call" not in vars(layer)


@pytest.mark.parametrize("name", [*PAIRS, *HEADS])
def test_a_layer_in_a_model_under_capture(name):
    layer, given = made(name)
    places = [keras.Input(each.shape[1:]) for each in given.values()]
    answer = layer(places) if name in PAIRS else layer(*places)
    model = keras.Model(places, keras.layers.Dense(2)(answer))
    with regard.capture(model) as maps:
        model([*given.values()])
    [calls] = maps.values()
    for head in range(calls[0].weights.shape[1]):
        steps = regard.explain(calls[0], query=1, head=head, example=1)
        all_green(steps, "scores", "context", "output")


def test_settings_of_keras_decide():
    layer, given = made("scaled")
    scaled = regard.explain(layer, *given.values())["compared"]
    scale = float(keras.ops.convert_to_numpy(layer.scale))
    product = given["value"][0].astype("float64") @ given["query"][0, 0]
    np.testing.assert_allclose(scaled.value, scale * product, rtol=1e-5)
    wrong = regard.explain(layer, *given.values(), query=1)["compared"]
    assert not np.allclose(wrong.value, scaled.value)


@pytest.mark.parametrize("name", ["dot", "additive"])
def test_what_masks_of_a_list_hide(name):
    layer, given = made(name)
    real = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]], bool)
    asking = np.array([[1, 1, 0], [1, 1, 0]], bool)
    told = {"mask": [asking, real]}
    steps = regard.explain(layer, *given.values(), **told)
    all_green(steps)
    assert steps["visible"].value.tolist() == real[0].tolist()
    hidden = regard.explain(layer, *given.values(), query=2, **told)
    all_green(hidden)
    assert not np.any(hidden[-1].value)
    nothing = regard.explain(layer, *given.values(), example=1, **told)
    all_green(nothing)
    np.testing.assert_allclose(nothing["shared_out"].value, 1 / KEYS, rtol=1e-6)


@pytest.mark.parametrize("name", ["multi_head", "grouped"])
def test_masks_of_heads(name):
    layer, given = made(name)
    real = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 0, 0]], bool)
    options = {"value_mask": real, "use_causal_mask": True}
    for query in range(QUERIES):
        steps = regard.explain(layer, *given.values(), query=query, **options)
        all_green(steps, "query", "key", "scores", "context")
    nothing = np.zeros((2, QUERIES, KEYS), bool)
    steps = regard.explain(layer, *given.values(), attention_mask=nothing)
    all_green(steps)
    # By a fused path, whose kernel gives all of them the same weight.
    np.testing.assert_allclose(steps["shared_out"].value, 1 / KEYS, atol=1e-6)


def test_axes_that_are_not_attended():
    rng = np.random.default_rng(7)
    layer = keras.layers.MultiHeadAttention(2, 3, attention_axes=(1,))
    image = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    layer(image, image)
    steps = regard.explain(layer, image, image, query=2, example=7)
    all_green(steps, "query", "key", "value", "scores", "context")


@pytest.mark.parametrize("name", [*PAIRS])
def test_titles_name_the_mechanism(name):
    layer, given = made(name)
    assert MECHANISMS[name] in regard.explain(layer, *given.values()).title


def test_a_key_of_its_own():
    layer, given = made("additive")
    key = given["value"][:, ::-1].copy()
    steps = regard.explain(layer, given["query"], given["value"], key=key)
    all_green(steps, "scores", "context")


@pytest.mark.parametrize("lengths", [(1, 5), (5, 2), (2, 6)])
def test_windows_count_rows_and_columns(lengths):
    query, value = (np.ones((2, each, 6), "float32") for each in lengths)
    layer = keras.layers.GroupQueryAttention(4, 4, 2, sliding_window=2)
    trace = regard.attend_to(layer, query, value)[layer.path][0]
    for number in range(lengths[0]):
        all_green(regard.explain(trace, query=number))


def test_what_is_nan_in_the_layer_too_agrees():
    query, value = np.ones((2, 3, 6), "float32"), np.ones((2, 4, 6), "float32")
    value[0, :, 0] = np.nan
    layer = keras.layers.Attention()
    trace = regard.attend_to(layer, [query, value])[layer.path][0]
    all_green(regard.explain(trace))
    known = replace(trace, output=np.zeros_like(trace.output))
    assert regard.explain(known)[-1].check.failed


@pytest.mark.parametrize(
    ("language", "said"), [("en", "not a number"), ("ru", "не число")]
)
def test_zeros_beside_nan_are_not_compared(language, said):
    query, value = np.ones((1, 3, 6), "float32"), np.ones((1, 4, 6), "float32")
    value[0, 1, 0] = np.nan
    layer = keras.layers.Attention()
    trace = regard.attend_to(layer, [query, value])[layer.path][0]
    weights = np.where(np.isnan(trace.scores), np.nan, 0.0)  # TensorFlow's softmax
    known = replace(trace, weights=weights.astype("float32"))
    steps = regard.explain(known, language=language)
    checks = [each.check for each in steps if each.check]
    (check,) = (each for each in checks if each.what == "weights")
    assert said in check.text(language) and not check.passed
    assert not any(each.failed for each in checks)
    other = replace(known, weights=np.where(np.isnan(weights), weights, 0.5))
    checks = [each.check for each in regard.explain(other) if each.check]
    assert any(each.failed for each in checks if each.what == "weights")
