"""Which row is explained, from what, and what is said where it cannot be."""

import dataclasses
import re

import keras
import numpy as np
import pytest

import regard
from regard import layers
from regard.cards.equations import unicode_equation
from regard.cards.mathml import mathml
from regard.seeing.steps.check import Check


@pytest.fixture
def trace():
    rng = np.random.default_rng(0)
    layer = layers.MultiHeadAttention(2, 3)
    return layer.trace(
        rng.normal(size=(2, 3, 4)).astype("float32"),
        rng.normal(size=(2, 5, 6)).astype("float32"),
        value_mask=np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]], bool),
    )


def test_another_row_has_other_numbers(trace):
    first = regard.explain(trace, query=0)
    other = regard.explain(trace, query=-1, head=1, example=1)
    assert first.passed
    assert other.passed
    assert first["shared_out"].numbers != other["shared_out"].numbers
    assert other["visible"].value.tolist() == [True, True, False, False, False]


def test_a_wrong_number_is_found(trace):
    scores = trace.scores.copy()
    scores[0, 0, 1, 0] += 1e-3
    wrong = dataclasses.replace(trace, scores=scores)
    steps = regard.explain(wrong, query=1)
    assert not steps.passed
    assert not steps["compared"].check.passed
    assert "DIFFERS" in str(steps)
    assert regard.explain(wrong, query=0).passed


def test_tokens_are_named(trace):
    steps = regard.explain(
        trace,
        query=1,
        language="ru",
        query_tokens=["кот", "спит", "."],
        key_tokens=list("abcde"),
    )
    assert "«\u2068спит\u2069»" in steps.subject
    strongest = "abcde"[int(trace.weights[0, 0, 1].argmax())]
    assert strongest in steps["mixed"].sentence


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "query 1, head 0 of 2 (counted from 0)"),
     ("ru", "запрос 1, голова 0 из 2 (счёт с нуля)")],
)  # fmt: skip
def test_numbers_are_those_of_the_arguments_and_it_says_so(trace, language, said):
    assert regard.explain(trace, query=1, language=language).subject == said


def test_where_no_number_is_named_none_is_explained():
    alone = layers.AdditiveAttention(3).trace(np.ones((1, 2, 4), "float32"))
    assert regard.explain(alone).subject == "query 0 (counted from 0)"
    named = regard.explain(alone, query_tokens=["a", "b"])
    assert named.subject == "query “\u2068a\u2069”"


def test_a_captured_call_is_explained_from_its_inputs():
    rng = np.random.default_rng(1)
    inputs = keras.Input((4, 6))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 3)(inputs))
    maps = regard.attend_to(model, rng.normal(size=(1, 4, 6)).astype("float32"))
    steps = regard.explain(maps[next(iter(maps))][0], query=2)
    assert steps.passed
    checked = {each.what for each in steps.checks}
    assert {"query", "scores", "weights", "context", "output"} <= checked
    assert steps[-1].check.passed
    assert "call" not in vars(model.layers[-1])


def test_without_inputs_it_begins_at_the_projections(trace):
    steps = regard.explain(dataclasses.replace(trace, inputs={}), query=2)
    assert steps.passed
    assert steps[0].name == "compared"


def test_everything_is_plain_in_a_dict(trace):
    import json

    found = json.loads(json.dumps(regard.explain(trace).to_dict()))
    assert found["steps"][0]["check"]["passed"] is True


def test_what_is_hidden_is_counted_apart():
    rng = np.random.default_rng(4)
    layer, x = layers.MultiHeadAttention(2, 3), rng.normal(size=(2, 3, 4))
    real = np.array([[1, 1, 0], [0, 0, 0]], bool)
    masks = {"query_mask": real, "value_mask": real}
    asked = regard.explain(layer, x, **masks, query=2)
    assert asked["projected_query"].check.nothing == "hidden query"
    assert asked["projected_key"].check.passed
    assert asked.counted["nothing"] == 1
    assert asked.passed
    unseen = regard.explain(layer, x, **masks, query=0, example=1, language="ru")
    check = unseen["projected_key"].check
    assert (check.passed, check.failed) == (False, False)
    assert check.text("en") == "nothing to compare: all keys are padding"
    assert "сравнивать нечего: все ключи — заполнение" in str(unseen)
    assert str(unseen).endswith("сравнивать было нечего: 3.")
    assert unseen.to_dict()["steps"][1]["check"]["passed"] is False


@pytest.mark.parametrize(
    ("language", "said"), [("en", "difference 0"), ("ru", "разница 0")]
)
def test_no_difference_at_all_is_a_plain_zero(language, said):
    text = Check("weights", 0.0, 2e-5).text(language)
    assert f"{said}, " in text


def test_russian_numbers_have_a_comma(trace):
    english, russian = (
        regard.explain(trace, query=1, language=each) for each in ("en", "ru")
    )
    one, other = (each["projected_query"].numbers for each in (english, russian))
    assert "(-" in one
    assert re.sub(r"(?<=\d)\{,\}", ".", other).replace("; ", ", ") == one
    text = unicode_equation(other)
    assert text == unicode_equation(one).replace(",", ";").replace(".", ",")
    marked = mathml(other)
    digits = re.findall("<mn>(.*?)</mn>", marked)
    assert [each.replace(",", ".") for each in digits] == re.findall(
        "<mn>(.*?)</mn>", mathml(one)
    )
    assert "<mo>;</mo>" in marked
    assert not re.search(r"\d\.\d", str(russian))
    assert not re.search(r"\d\.\d", re.sub("<.*?>", "", russian._repr_html_()))
    assert re.search(r"разница \d,\d·10⁻", str(russian))
    assert russian.to_dict()["steps"][0]["value"] == pytest.approx(
        english.to_dict()["steps"][0]["value"]
    )


def test_a_row_that_sees_nothing_says_so(trace):
    layer = layers.MultiHeadAttention(2, 3)
    nothing = np.zeros((1, 3, 3), bool)
    x = np.random.default_rng(5).normal(size=(1, 3, 4))
    steps = regard.explain(layer, x, attention_mask=nothing)
    assert steps.passed
    assert "no key" in steps["shared_out"].sentence
    assert "by contract zeros come out" in steps["mixed"].sentence
    assert "/" not in unicode_equation(steps["shared_out"].numbers)
    assert not np.any(steps["mixed"].value)
    assert "lead" not in [each.name for each in steps]
    assert "по\u00a0контракту" in str(
        regard.explain(layer, x, attention_mask=nothing, language="ru")
    )


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (
            {"query_tokens": ["a", "b"]},
            r"query_tokens must be .* each of the 3 queries",
        ),
        ({"query_tokens": ["a"] * 4}, r"Got 4 texts; padding needs a text too"),
        ({"key_tokens": list("abcd")}, r"key_tokens must be .* 5 keys\. Got 4 texts"),
        ({"key_tokens": "abcde"}, r"key_tokens must be a list .* Got 'abcde'"),
        ({"key_tokens": [1, 2, 3, 4, 5]}, r"key_tokens must be a list .* Got \[1, 2"),
    ],
)
def test_every_place_needs_a_token(trace, tokens, message):
    with pytest.raises(ValueError, match=message):
        regard.explain(trace, **tokens)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query": 3}, "query must be a whole number from 0 to 2, or from the end -3"),
        ({"head": 2}, "head must be"),
        ({"example": -3}, "example must be"),
        ({"language": "de"}, "language must be one of en, ru"),
    ],
)
def test_rows_that_are_not_there(trace, options, message):
    with pytest.raises(ValueError, match=message):
        regard.explain(trace, **options)


def test_a_layer_without_a_card():
    with pytest.raises(ValueError, match="a mechanism whose card has steps"):
        regard.explain(keras.layers.Dense(2), np.ones((1, 3), "float32"))


def test_inputs_beside_a_trace(trace):
    with pytest.raises(ValueError, match="a trace has them already"):
        regard.explain(trace, np.ones(3))


def test_chosen_rows_are_no_whole_trace():
    x = np.ones((1, 4, 6), "float32")
    layer = layers.MultiHeadAttention(2, 3)
    model = keras.Sequential([keras.Input((4, 6)), layer])
    maps = regard.attend_to(model, x, rows=[1])
    with pytest.raises(ValueError, match="a capture kept chosen rows"):
        regard.explain(next(iter(maps.values()))[0])


@pytest.mark.parametrize("shape", [(0, 3, 4), (1, 0, 4)])
def test_a_trace_of_nothing_is_refused(shape):
    layer = keras.layers.MultiHeadAttention(2, 3)
    with pytest.raises(ValueError, match="at least one example, query and key"):
        regard.explain(layer, np.ones((shape[0], 3, 4)), np.ones(shape))


@pytest.mark.parametrize("kind", [keras.layers.Attention, layers.MultiHeadAttention])
def test_a_layer_without_inputs_is_refused(kind):
    layer = kind(2, 3) if kind is layers.MultiHeadAttention else kind()
    with pytest.raises(ValueError, match="inputs must be what the layer"):
        regard.explain(layer)


def test_wide_numbers_agree_as_far_as_the_layer_computes_in_them():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX computes in float32 unless its 64 bits are switched on")
    rng = np.random.default_rng(2)
    layer = layers.MultiHeadAttention(2, 3, dtype="float64")
    steps = regard.explain(
        layer, rng.normal(size=(1, 3, 4)), rng.normal(size=(1, 5, 6))
    )
    assert steps.passed


@pytest.mark.parametrize(("language", "word"), [("en", "dropout"), ("ru", "дропаут")])
def test_dropout_is_named_where_training_differs(language, word):
    x = np.random.default_rng(3).normal(size=(1, 4, 6)).astype("float32")
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    said = str(regard.explain(layer, x, x, training=True, language=language))
    assert word in said
    with regard.capture(layer) as maps:
        layer(x, x, training=True)
    [[call]] = maps.values()
    assert word in str(regard.explain(call, language=language))
    assert word not in str(regard.explain(layer, x, x, language=language))


def test_shares_are_written_as_each_language_does(trace):
    share = f"{100 * trace.weights[0, 0, 0].max():.0f}"
    assert f"{share}%" in regard.explain(trace)["mixed"].sentence
    assert f"{share}\u00a0%" in regard.explain(trace, language="ru")["mixed"].sentence
    broken = dataclasses.replace(trace, weights=np.full_like(trace.weights, np.nan))
    assert "NaN" in regard.explain(broken)["mixed"].sentence


NUMBER = re.compile(r"−?\d+\.?\d*( · 10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")


def shape_of(line):
    """A formula of numbers with n for each of them, however it was rounded."""
    return NUMBER.sub("n", line).replace("(n)", "n")


@pytest.mark.parametrize(
    "make",
    [
        lambda: regard.layers.AdditiveAttention(5),
        lambda: regard.layers.ScaledDotAttention(),
        lambda: regard.layers.MultiHeadAttention(1, 5),
        lambda: regard.layers.CosineAttention(),
        lambda: regard.layers.HopfieldAttention(5, updates=3),
        lambda: regard.layers.MixtureAttention(5),
        lambda: keras.layers.AdditiveAttention(),
        lambda: keras.layers.Attention(score_mode="concat"),
        lambda: keras.layers.MultiHeadAttention(1, 5),
    ],
)
def test_as_many_keys_as_features_are_written_as_others_are(make):
    """A query's five numbers are not taken for one of each of five keys."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    query, few, many = (
        random.normal(size=(1, count, 5)).astype("float32") for count in (3, 5, 7)
    )
    told = [str(regard.explain(make(), query, each, query=1)) for each in (few, many)]
    lines = [
        [shape_of(line) for line in text.splitlines() if "for key" in line]
        for text in told
    ]
    assert lines[0] == lines[1]
    assert any("(n, n, n, …)" in line for line in lines[0])


def test_as_many_keys_as_bells_leave_the_bells_together():
    """Five bells' middles are not taken for one of each of five keys."""
    random = np.random.default_rng(0)
    query, few, many = (
        random.normal(size=(1, count, 4)).astype("float32") for count in (3, 5, 7)
    )
    layer = regard.layers.MixtureAttention(units=3, components=5)
    written = [
        shape_of(unicode_equation(step.numbers))
        for step in (regard.explain(layer, query, m)["bells"] for m in (few, many))
    ]
    assert written[0] == written[1]
    assert written[0].count("(n, n, n, …)") == 3
