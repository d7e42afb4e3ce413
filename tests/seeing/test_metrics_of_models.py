"""Measures that run a model, against the same computed from its own kernels."""

from itertools import permutations

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose

import regard
from regard.seeing import metrics
from regard.seeing.metrics import permutation
from regard.seeing.metrics.controls import even_weights
from regard.seeing.metrics.erasure import erased
from regard.seeing.metrics.gradients import gradients

RNG = np.random.default_rng(0)
IDS = np.array([[3, 5, 2, 7, 9, 4], [8, 6, 1, 2, 0, 0], [4, 0, 0, 0, 0, 0]], "int32")
VALID = IDS > 0


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


class Pooled:
    """Embedding, pooling and classes: as a Keras model, and in NumPy."""

    def __init__(self):
        tokens = keras.Input((6,), dtype="int32")
        x = layers.Embedding(10, 5, mask_zero=True)(tokens)
        x = regard.layers.AttentionPooling(name="pooling", activation=None)(x)
        self.model = keras.Model(tokens, layers.Dense(3, activation="softmax")(x))
        shapes = [each.shape for each in self.model.weights]
        self.model.set_weights([RNG.normal(size=s).astype("float32") for s in shapes])
        query = self.model.weights[1]
        query.assign(query * 0.4)  # weights in which no token has everything
        values = [numpy(each) for each in self.model.weights]
        self.table, self.query, self.bias, self.kernel, self.offset = values
        self.classifier = metrics.Classifier(self.model)

    def weights(self, ids, kept):
        scores = self.table[ids] @ self.query + self.bias
        return softmax(np.where(kept & (ids > 0), scores, -1e30)) * (ids > 0)

    def read(self, ids, weights):
        context = np.einsum("bs,bsd->bd", weights, self.table[ids])
        return softmax(context @ self.kernel + self.offset)

    def say(self, ids, kept=True):
        return self.read(ids, self.weights(ids, kept))


@pytest.fixture(scope="module")
def pooled():
    keras.utils.set_random_seed(1)
    return Pooled()


@pytest.fixture(scope="module")
def heads():
    """Two layers with heads over vectors, and a pooling."""
    keras.utils.set_random_seed(2)
    x = inputs = keras.Input((4, 6))
    for name in ("first", "second"):
        kind = layers if name == "first" else regard.layers
        x = x + kind.MultiHeadAttention(3, 2, name=name)(x, x)
    x = regard.layers.AttentionPooling(name="pooling")(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


X = RNG.normal(size=(3, 4, 6)).astype("float32")


def test_the_reference_says_what_the_model_says(pooled):
    assert_allclose(pooled.classifier.predict(IDS), pooled.say(IDS), atol=1e-6)


def test_a_single_probability_is_two_classes_and_logits_are_refused():
    inputs = keras.Input((3,))
    x = RNG.normal(size=(4, 3)).astype("float32")
    binary = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(inputs))
    found = metrics.Classifier(binary).predict(x)
    assert found.shape == (4, 2)
    assert_allclose(found[:, 1], numpy(binary(x))[:, 0], atol=1e-6)
    logits = keras.Model(inputs, layers.Dense(3)(inputs))
    with pytest.raises(ValueError, match=r"probabilities=keras\.ops\.softmax"):
        metrics.Classifier(logits).predict(x)
    with pytest.raises(ValueError, match=r"metrics\.Classifier\(model, keras\.ops"):
        metrics.Classifier(logits).predict(x)
    given = metrics.Classifier(logits, ops.softmax).predict(x)
    assert_allclose(given, softmax(numpy(logits(x))), atol=1e-6)
    with pytest.raises(ValueError, match="data must be"):
        metrics.Classifier(logits).predict([[1, 2, 3]])


def drop(pooled, kept):
    whole = pooled.say(IDS)
    classes = whole.argmax(1)
    return (whole - pooled.say(IDS, kept))[np.arange(3), classes]


def test_faithfulness_is_the_mean_drop_over_distinct_sets(pooled):
    scores = RNG.random(IDS.shape)
    asked = (pooled.classifier, IDS, scores, VALID)
    found = metrics.comprehensiveness(*asked), metrics.sufficiency(*asked)
    # Of 6 tokens the shares are 1, 1, 1, 2 and 3; of 4 they are 1, 1, 1, 1 and 2.
    order = np.argsort(np.where(VALID, -scores, np.inf), axis=1).argsort(1)
    removed = {n: drop(pooled, order >= n) for n in (1, 2, 3)}
    alone = {n: drop(pooled, order < n) for n in (1, 2, 3)}
    for expected, drops in zip((removed, alone), found, strict=True):
        first = [expected[n][0] for n in (1, 2, 3)]
        second = [expected[n][1] for n in (1, 2)]
        assert_allclose(drops.points[[0, 3, 4], 0], first, atol=1e-6)
        assert_allclose(drops.area[:2], [np.mean(first), np.mean(second)], atol=1e-6)
        assert np.isnan(drops.area[2])  # one token: nothing to rank
    with pytest.raises(ValueError, match="shares must lie"):
        metrics.sufficiency(*asked, shares=(0.5, 1))


def test_without_repeats_it_is_the_average_of_eraser(pooled):
    long = np.tile(np.arange(1, 10), 12)[None, :100].astype("int32")
    tokens = keras.Input((100,), dtype="int32")
    model = keras.Model(tokens, pooled.model.layers[-1](
        pooled.model.layers[-2](pooled.model.layers[1](tokens))))  # fmt: skip
    scores, classifier = RNG.random(long.shape), metrics.Classifier(model)
    found = metrics.comprehensiveness(classifier, long, scores, long > 0)
    ranks, whole = np.argsort(np.argsort(-scores)), pooled.say(long)
    deltas = []
    for count in (1, 5, 10, 20, 50):  # `_instances_aopc`: over the thresholds given
        kept = pooled.say(long, ranks >= count)
        deltas.append((whole - kept)[0, whole[0].argmax()])
    assert_allclose(found.area, np.average(deltas), atol=1e-6)


def test_other_ways_to_take_tokens_away(pooled):
    kept = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 1, 1, 1], [1] * 6], bool)
    say = pooled.classifier
    found = numpy(metrics.replaced_by(1)(say, IDS, kept))
    assert_allclose(found, pooled.say(np.where(kept, IDS, 1)), atol=1e-6)
    found = numpy(metrics.deleted()(say, IDS, kept))
    shorter = [[3, 2, 7, 4, 0, 0], [6, 1, 2, 0, 0, 0], [4, 0, 0, 0, 0, 0]]
    assert_allclose(found, pooled.say(np.array(shorter)), atol=1e-6)
    with pytest.raises(ValueError, match="token numbers"):
        metrics.deleted()(say, X, kept)


def test_padding_stays_where_tokens_are_replaced(pooled):
    scores = RNG.random(IDS.shape)
    asked = (pooled.classifier, IDS, scores, VALID, metrics.replaced_by(1), (0.5,))
    found = metrics.sufficiency(*asked).area
    order = np.argsort(np.where(VALID, -scores, np.inf), axis=1).argsort(1)
    left = np.where((order < [[3], [2], [1]]) | ~VALID, IDS, 1)
    whole = pooled.say(IDS)
    drops = (whole - pooled.say(left))[np.arange(3), whole.argmax(1)]
    assert_allclose(found[:2], drops[:2], atol=1e-6)


def test_random_rankings_are_averaged_and_come_again_with_the_seed(pooled):
    asked = (pooled.classifier, IDS, VALID, None)
    found = metrics.over_random(metrics.comprehensiveness, *asked, draws=3, seed=7)
    rng = np.random.default_rng(7)
    one = [
        metrics.comprehensiveness(
            pooled.classifier, IDS, rng.random(IDS.shape), VALID
        ).area
        for _ in range(3)
    ]
    assert_allclose(found, np.mean(one, axis=0))
    assert np.abs(one[0] - one[1])[:2].max() > 1e-4


def test_permuting_keeps_the_weights_of_a_row_and_the_masked_zeros():
    weights, mask = RNG.random((2, 3, 4, 6)), RNG.random((2, 3, 4, 6)) > 0.4
    weights = np.where(mask, weights, 0)
    found = permutation.permuted(weights, mask, RNG)
    assert (found[~mask] == 0).all() and np.abs(found - weights).max() > 0
    assert_allclose(np.sort(found), np.sort(weights))


def test_the_median_distance_over_permutations(pooled):
    found = metrics.permutation_test(pooled.classifier, IDS, "pooling", draws=400)
    plain, before = pooled.weights(IDS, True), pooled.say(IDS)
    every = np.array([plain[0, list(order)] for order in permutations(range(6))])
    after = pooled.read(np.repeat(IDS[:1], len(every), axis=0), every)
    exact = np.median(np.abs(after - before[:1]).sum(1) / 2)
    assert_allclose(found.median[0], exact, atol=0.03)
    assert exact > 0.1
    assert_allclose(found.largest_weight[:2], plain.max(1)[:2], rtol=1e-5)
    assert np.isnan(found.median[2])


def test_uniform_weights_are_the_mean_of_what_is_seen(pooled):
    found = metrics.uniform_predictions(pooled.classifier, IDS)
    even = VALID / VALID.sum(1, keepdims=True)
    assert_allclose(found, pooled.read(IDS, even), atol=1e-6)


def test_rows_sum_to_what_they_did_when_weights_are_erased_or_made_even():
    weights = RNG.random((2, 1, 3, 4)).astype("float32")
    kept = np.array([[1, 0, 1, 1], [0, 1, 1, 0]], bool)
    tensor, mask = (ops.convert_to_tensor(each) for each in (weights, weights > 0.2))
    for changed in (erased(kept, tensor), even_weights(tensor, mask)):
        assert_allclose(numpy(changed).sum(-1), weights.sum(-1), rtol=1e-5)
    found = numpy(erased(kept, tensor))
    assert (found[0, ..., 1] == 0).all() and (found[1, ..., [0, 3]] == 0).all()
    assert_allclose(
        found[0, 0, 0, 2] / found[0, 0, 0, 0],
        weights[0, 0, 0, 2] / weights[0, 0, 0, 0],
        rtol=1e-5,
    )


def test_what_a_masked_key_leaks_is_not_received():
    weights = np.array([[[[0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.4, 0.4, 0.2]]]])
    mask = np.array([[[[1, 1, 0], [1, 1, 0], [0, 0, 0]]]], bool)
    found = metrics.received(regard.Trace(mechanism="dot", weights=weights, mask=mask))
    assert_allclose(found, [[0.3, 0.5, 0]])  # the mean of the rows that see anything


def test_erasing_one_after_another_until_the_decision_flips(pooled):
    scores = RNG.random(IDS.shape)
    order = np.argsort(np.where(VALID, -scores, np.inf), axis=1).argsort(1)
    before = pooled.say(IDS).argmax(1)
    expected = np.ones(2)
    for row, count in enumerate((6, 4)):
        for gone in range(count - 1, 0, -1):
            if pooled.say(IDS, order >= gone).argmax(1)[row] != before[row]:
                expected[row] = gone / count
    asked = (pooled.classifier, IDS, "pooling", scores, VALID)
    found = metrics.flip_fraction(*asked)
    assert_allclose(found[:2], expected)
    assert np.isnan(found[2])
    first = pooled.say(IDS, order >= 1).argmax(1) != before
    assert metrics.flips(*asked)[:2].tolist() == first[:2].tolist()
    assert not metrics.flips(*asked)[2]


def test_gradients_of_weights_are_central_differences(pooled):
    (pair,) = metrics.weight_gradients(pooled.classifier, IDS, ["pooling"])
    weights, gradient = pair
    classes = pooled.say(IDS).argmax(1)
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1e-5
        up, down = (pooled.read(IDS, weights[:, 0, 0] + d) for d in (step, -step))
        slope = (up - down)[np.arange(3), classes] / 2e-5
        expected = np.where(VALID[:, place], slope, 0)  # what is hidden is not read
        assert_allclose(gradient[:, 0, 0, place], expected, atol=1e-4)
    product = metrics.gradient_times_attention(pooled.classifier, IDS, "pooling")
    assert_allclose(product, weights * gradient)


def test_gradient_times_input_is_the_same_of_numbers_and_of_their_vectors(pooled):
    found = metrics.gradient_times_input(pooled.classifier, IDS)
    vectors = keras.Input((6, 5))
    mask = keras.Input((6,), dtype="bool")
    x = pooled.model.get_layer("pooling")(vectors, mask=mask)
    model = keras.Model([vectors, mask], pooled.model.layers[-1](x))
    seen = ops.convert_to_tensor(VALID)
    say = metrics.Classifier(lambda x, training: model([x, seen], training=training))
    given = gradients(
        lambda x: ops.sum(say(x) * keras.ops.one_hot(pooled.say(IDS).argmax(1), 3)),
        {"x": pooled.table[IDS]},
    )["x"]
    assert_allclose(found, (given * pooled.table[IDS]).sum(-1), atol=1e-5)
    assert np.abs(found[VALID]).max() > 1e-3
    with pytest.raises(ValueError, match="embedding must name"):
        metrics.gradient_times_input(pooled.classifier, IDS, embedding="other")


def test_gradient_times_input_of_frames(heads):
    found = metrics.gradient_times_input(metrics.Classifier(heads), X)
    classes = numpy(heads(X)).argmax(1)
    step = X.astype("float64") * 1e-3
    for place in range(4):
        moved = np.zeros_like(step)
        moved[:, place] = step[:, place]
        up, down = (numpy(heads((X + d).astype("float32"))) for d in (moved, -moved))
        slope = (up - down)[np.arange(3), classes] / 2e-3
        assert_allclose(found[:, place], slope, atol=2e-3)


def test_relevance_adds_each_layer_to_what_came_below(heads):
    classifier, names = metrics.Classifier(heads), ["first", "second", "pooling"]
    pairs = metrics.weight_gradients(classifier, X, names)
    first, second, last = (np.maximum(w * g, 0).mean(1) for w, g in pairs)
    expected = np.eye(4) + first
    expected = last @ (expected + second @ expected)
    assert_allclose(metrics.relevance(classifier, X, names), expected)
    with pytest.raises(ValueError, match="layer before them"):
        metrics.relevance(classifier, X, ["pooling", "first"])


@pytest.mark.parametrize("name", ["first", "second"])
def test_norms_of_a_layer_add_up_to_its_output(heads, name):
    with regard.capture(heads, name) as maps:
        heads(X)
    trace, layer = maps[name][0], heads.get_layer(name)
    vectors = metrics.transformed_values(trace, layer)
    inner = keras.Model(heads.input, layer.output)
    bias = numpy(layer.weights[-1])
    total = np.einsum("bhts,bhso->bto", trace.weights, vectors) + bias
    assert_allclose(total, numpy(inner(X)), atol=1e-5)


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_head_is_ablated_as_if_its_rows_of_the_projection_were_zero(heads, name):
    labels = np.array([0, 1, 0])

    def score():
        return np.log(numpy(heads(X, training=False))[np.arange(3), labels])

    found = metrics.head_ablation(heads, name, score)
    whole, kernel = score(), heads.get_layer(name).weights[-2]
    before = numpy(kernel)
    for head, interval in enumerate(found):
        without = before.copy()
        without[head] = 0
        kernel.assign(without)
        expected = (whole - score()).mean()
        kernel.assign(before)
        assert_allclose(interval.mean, expected, atol=1e-5)
        assert interval.low <= interval.mean <= interval.high and interval.n == 3
    assert max(abs(each.mean) for each in found) > 1e-3


def test_sensitivity_is_the_slope_of_the_loss_in_each_head(heads):
    x, labels = RNG.normal(size=(8, 4, 6)).astype("float32"), np.arange(8) % 2

    def loss():
        one = ops.one_hot(labels, 2)
        return -ops.log(ops.sum(heads(x, training=False) * one, axis=1))

    found = metrics.head_sensitivity(heads, "second", loss, scaled=False)
    kernel = heads.get_layer("second").weights[-2]
    before, slopes = numpy(kernel), []
    for head in range(3):
        ends = []
        for step in (1e-2, -1e-2):
            changed = before.copy()
            changed[head] *= 1 + step
            kernel.assign(changed)
            ends.append(numpy(loss()))
        kernel.assign(before)
        slope = (ends[0] - ends[1]) / 2e-2
        assert slope.min() < 0 < slope.max()  # examples differ in what they need
        slopes.append(np.abs(slope).mean())
    assert_allclose(found, slopes, rtol=2e-2, atol=1e-4)
    scaled = metrics.head_sensitivity(heads, "second", loss)
    assert_allclose(scaled, found / np.linalg.norm(found), rtol=1e-5)


def test_seeds_that_are_the_same_do_not_differ(pooled):
    other = Pooled()
    names = ["pooling", "pooling"]
    same = metrics.seed_divergence([pooled.model] * 2, IDS, names)
    far = metrics.seed_divergence([pooled.model, other.model], IDS, names)
    assert_allclose(same[:2], 0, atol=1e-12)
    assert (far[:2] > 1e-3).all() and (far[:2] <= np.log(2)).all()
    assert np.isnan(far[2])
    with pytest.raises(ValueError, match="at least two"):
        metrics.seed_divergence([pooled.model], IDS, names[:1])
