"""The four questions, put to models of which the answers are known."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose

import regard
from regard.seeing import metrics
from regard.seeing.diagnostics import diagnose
from regard.seeing.metrics import questions

QUESTIONS = ["comprehensiveness", "permutation", "uniform", "agreement"]
RNG = np.random.default_rng(0)
# Tokens 1 and 2 say the class and are looked at; 3 and 4 say one too, but are not.
TABLE = np.array([[0, 0], [4, 1], [4, -1], [-4, 1], [-4, -1]], "float32")


def examples(count, length=6):
    x = RNG.integers(3, 5, size=(count, length))
    labels = RNG.integers(0, 2, size=count)
    x[np.arange(count), RNG.integers(0, length, count)] = 2 - labels
    return x.astype("int32"), labels


def model(reads):
    """Classes from what attention read or, past it, from the first token."""
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(5, 2, mask_zero=True, name="vectors")(tokens)
    read = regard.layers.AttentionPooling(name="pooling", activation=None)(x)
    joined = layers.Concatenate()([read, x[:, 0]])
    made = keras.Model(tokens, layers.Dense(2, activation="softmax")(joined))
    kernel = np.zeros((4, 2), "float32")
    kernel[1 if reads else 3] = -8, 8
    query = np.array([1, 0], "float32")
    made.set_weights([TABLE, query, np.zeros((), "float32"), kernel, np.zeros(2)])
    return made


def asked(made, x, labels, **settings):
    found = metrics.evidence(made, x, labels, permutations=20, **settings)
    assert [each.question for each in found] == QUESTIONS
    return {each.question: each for each in found}


def test_a_model_that_answers_by_its_attention():
    x, labels = examples(60)
    made = model(reads=True)
    found = asked(made, x, labels, seeds=[made])
    assert {each.verdict for each in found.values()} == {metrics.SUPPORTS}
    removed = found["comprehensiveness"]
    assert removed.baseline == 0 and removed.interval.low > 0.1
    assert removed.beside["attention"] > removed.beside["random"]
    assert_allclose(found["permutation"].beside["largest_weight"], 1, atol=2e-3)
    assert found["uniform"].beside["accuracy"] == 1
    even = metrics.uniform_predictions(metrics.Classifier(made), x).argmax(1)
    assert_allclose(found["uniform"].interval.mean, 1 - (even == labels).mean())
    assert all(each.interval.n == 60 for each in found.values())


def test_a_model_that_answers_past_its_attention():
    x, labels = examples(60)
    made = model(reads=False)
    found = asked(made, x, labels, seeds=[made])
    assert {each.verdict for each in found.values()} == {metrics.REFUTES}
    assert found["comprehensiveness"].interval.high == 0
    assert found["uniform"].interval.mean == 0


def test_the_worth_of_a_difference_is_what_seeds_differ_by():
    x, labels = examples(40)
    made, other = model(reads=True), model(reads=False)
    found = asked(made, x, labels, seeds=[other])["uniform"]
    right = metrics.accuracy(metrics.Classifier(other).predict(x), labels).mean()
    assert_allclose(found.baseline, 1 - right)
    trained = asked(made, x, labels, seeds=[made], uniform=other)["uniform"]
    assert_allclose(trained.interval.mean, 1 - right)


def test_what_is_not_tested_says_why():
    x, labels = examples(8)
    found = asked(model(reads=True), x, labels)["uniform"]
    assert found.verdict == metrics.NOT_TESTED and found.reason == "no seeds"
    assert found.interval is not None and found.baseline is None
    x[:, 1:] = 0
    found = asked(model(reads=True), x, labels)
    for question in ("comprehensiveness", "permutation", "agreement"):
        assert found[question].verdict == metrics.NOT_TESTED
        assert found[question].reason == "nothing to rank"


def test_without_vectors_of_tokens_there_is_no_gradient():
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Lambda(lambda t: ops.one_hot(t, 5), output_shape=(6, 5))(tokens)
    x = regard.layers.AttentionPooling()(x)
    made = keras.Model(tokens, layers.Dense(2, activation="softmax")(x))
    x, labels = examples(8)
    found = asked(made, x, labels)
    assert found["agreement"].reason == "no gradient"
    assert "gradient" not in found["comprehensiveness"].beside
    with pytest.raises(ValueError, match="embedding must name"):
        metrics.evidence(made, x, labels, embedding="vectors")


def reading(layer):
    tokens = keras.Input((6,), dtype="int32")
    x = layer(layers.Embedding(5, 8, mask_zero=True)(tokens))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(tokens, layers.Dense(2, activation="softmax")(x))


def test_a_layer_without_a_table_of_weights_is_not_tested():
    made = reading(regard.layers.ProbSparseAttention(2, 4, factor=1))
    x, labels = examples(8)
    found = asked(made, x, labels)
    for question in QUESTIONS[:3]:
        assert found[question].verdict == metrics.NOT_TESTED
        assert found[question].reason == "no table"
    assert found["agreement"].interval is not None
    other = asked(made, x, labels, removal=metrics.replaced_by(3), uniform=made)
    assert other["comprehensiveness"].interval is not None
    assert other["uniform"].interval.mean == 0


@pytest.mark.parametrize(
    "layer",
    [
        lambda: regard.layers.LocationSensitiveAttention(4),
        lambda: regard.layers.CausalLinearAttention(2, 4),
    ],
)
def test_alignments_and_recurrences_are_tested(layer):
    found = asked(reading(layer()), *examples(8))
    for question in QUESTIONS[:2]:
        assert found[question].interval is not None


def test_it_supports_only_with_the_whole_interval():
    wide, narrow = (metrics.Interval(0.1, low, 0.2, 9) for low in (-0.01, 0.01))
    assert questions._judged("uniform", wide, 0.0, {}).verdict == metrics.REFUTES
    assert questions._judged("uniform", narrow, 0.0, {}).verdict == metrics.SUPPORTS
    assert questions._judged("uniform", narrow, 0.05, {}).verdict == metrics.REFUTES


def test_what_cannot_be_asked_is_refused():
    x, labels = examples(8)
    with pytest.raises(ValueError, match="labels must be 8"):
        metrics.evidence(model(reads=True), x, labels[:3])
    with pytest.raises(ValueError, match="draws must be at least 20"):
        metrics.evidence(model(reads=True), x, labels, draws=5)
    with pytest.raises(ValueError, match=r"seeds must be a list of models.*Got 3"):
        metrics.evidence(model(reads=True), x, labels, seeds=3)
    with pytest.raises(ValueError, match="layers must name"):
        metrics.evidence(model(reads=True), x, labels, layer="other")


def test_heads_are_measured_over_all_examples_and_rows():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(tokens)
    x = layers.MultiHeadAttention(2, 4, name="heads")(x, x)
    made = keras.Model(tokens, regard.layers.AttentionPooling(name="pooling")(x))
    ids = RNG.integers(1, 9, size=(43, 6)).astype("int32")
    ids[:20, 4:] = 0
    ids[40:, 1:] = 0  # one token: nothing to measure
    found = {(each.layer, each.head): each for each in metrics.overview(made, ids)}
    assert list(found) == [("heads", 0), ("heads", 1), ("pooling", 0)]
    with regard.capture(made, "heads") as maps:
        made(ids)
    trace, head = maps["heads"][0], found["heads", 1]
    mask = np.broadcast_to(trace.mask, trace.weights.shape)
    pairs = list(zip(trace.weights[:40, 1], mask[:40, 1], strict=True))
    each = [diagnose(*pair) for pair in pairs]
    assert_allclose(head.effective.mean, np.mean([one.effective for one in each]))
    assert_allclose(head.diagnosis.entropy, np.mean([one.entropy for one in each]))
    seen = [metrics.mean_distance(*pair)[pair[1].any(1)].mean() for pair in pairs]
    assert_allclose(head.distance.mean, np.mean(seen))
    # |i − j| / n over 4 and over 6 positions: 1.25 and 35/18.
    assert_allclose(head.uniform_distance, (1.25 + 35 / 18) / 2)
    assert head.visible == 5 and head.effective.n == 40
    assert found["pooling", 0].distance is None


def test_layers_stand_in_the_order_of_their_calls():
    class Crossed(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = regard.layers.AttentionPooling(name="last")
            self.first = layers.MultiHeadAttention(2, 4, name="first")
            self.classes = layers.Dense(2, activation="softmax")

        def call(self, x):
            return self.classes(self.last(self.first(x, x)))

    made, x = Crossed(), RNG.normal(size=(4, 5, 6)).astype("float32")
    made(x)
    assert [each.layer for each in metrics.overview(made, x)] == [
        *["crossed/first"] * 2,
        "crossed/last",
    ]
    found = regard.diagnose(made, x, [0, 1, 0, 1], permutations=1)
    assert found.layer == "crossed/last"
    assert [each.layer for each in regard.diagnose(made, x, layers="last").heads] == [
        "crossed/last"
    ]
