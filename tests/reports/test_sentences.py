"""Sentences: of a hierarchical model, and of what a user knows of a text."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import regard
from regard.reports import AttentionRecord, Example, Sentences
from regard.reports.captured import examples_of_maps
from regard.reports.encoding import CODINGS, Numbers, inflate
from regard.reports.sentences import pack_sentences
from regard.reports.texts import Texts
from tests.reports.test_report import entries

DOCUMENTS = [
    [["a", "long", "film"], ["dull"]],
    [["good"], ["very", "very", "good"], ["see", "it"]],
]
WORDS = np.array(
    [[[3, 4, 5], [6, 0, 0], [0, 0, 0]], [[7, 0, 0], [8, 8, 7], [9, 10, 0]]]
)


def hierarchical():
    inputs = keras.Input((3, 3), dtype="int32")
    words = keras.layers.Embedding(20, 6, mask_zero=True)(inputs)
    reader = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))
    pooling = regard.layers.HierarchicalPooling(5, 4, reader, name="han")
    return keras.Model(inputs, keras.layers.Dense(2, name="out")(pooling(words)))


@pytest.fixture(scope="module")
def maps():
    keras.utils.set_random_seed(1)
    return regard.attend_to(hierarchical(), WORDS)


def test_a_hierarchical_model_gives_words_and_sentences_their_weights(maps):
    (trace,) = maps["han"]
    examples = examples_of_maps(maps, Texts.of(None, DOCUMENTS))
    for at, (document, example) in enumerate(zip(DOCUMENTS, examples, strict=True)):
        (record,) = example.records()
        found = record.sentences
        assert record.key_tokens == tuple(word for each in document for word in each)
        assert found.lengths == [len(each) for each in document]
        count = len(document)
        np.testing.assert_array_equal(
            found.weights[0, 0], trace.extra["sentences"][at, :count]
        )
        inside = np.concatenate(
            [
                trace.extra["words"][at, row, : len(each)]
                for row, each in enumerate(document)
            ]
        )
        np.testing.assert_array_equal(found.words[0, 0], inside)
        owner = np.repeat(np.arange(count), found.lengths)
        product = found.weights[0, 0][owner] * inside
        np.testing.assert_allclose(record.weights[0, 0], product, rtol=1e-5)
        assert found.weights.sum() == pytest.approx(1, abs=1e-5)


def test_without_tokens_words_have_numbers_and_padding_is_cut_off(maps):
    first, second = examples_of_maps(maps, Texts.of(None, None))
    assert first.records()[0].key_tokens == ("1.1", "1.2", "1.3", "2.1")
    assert second.records()[0].sentences.lengths == [1, 3, 2]
    names = [[f"w{at}" for at in range(9)]] * 2  # of all places, padding too
    first, _ = examples_of_maps(maps, Texts.of(None, names))
    assert first.records()[0].key_tokens == ("w0", "w1", "w2", "w3")


def test_more_words_than_were_read_are_refused(maps):
    with pytest.raises(ValueError, match="at most 3 sentences of at most 3 words"):
        examples_of_maps(maps, Texts.of(None, [DOCUMENTS[0], [["a"] * 4]]))


def test_the_page_of_a_hierarchical_model_carries_sentences(tmp_path):
    path = regard.report(
        hierarchical(), WORDS, path=tmp_path / "a.html", key_tokens=DOCUMENTS
    )
    first, second = entries(path)
    assert first["maps"][0]["sentences"]["lengths"] == [3, 1]
    assert second["maps"][0]["sentences"]["lengths"] == [1, 3, 2]
    assert first["source"] == "a long film dull"


def test_words_are_taken_away_in_the_model_the_strongest_of_the_document_first(
    tmp_path,
):
    keras.utils.set_random_seed(1)
    model = hierarchical()
    classifier = regard.metrics.Classifier(model, keras.ops.softmax)
    path = regard.report(
        classifier, WORDS, path=tmp_path / "a.html", key_tokens=DOCUMENTS,
        classes=["no", "yes"],
    )  # fmt: skip
    for at, entry in enumerate(entries(path)):
        sentences = DOCUMENTS[at]
        explained = entry["explanation"]
        removal = explained["removal"]
        size = sum(map(len, sentences))
        assert removal["product"] is True
        assert removal["counts"] == [each for each in (0, 1, 2, 3, 5) if each < size]
        (trace,) = regard.attend_to(model, WORDS[at : at + 1])["han"]
        places = [
            (n, t) for n, words in enumerate(sentences) for t in range(len(words))
        ]
        products = np.array(
            [
                trace.extra["sentences"][0, n] * trace.extra["words"][0, n, t]
                for n, t in places
            ]
        )
        assert sorted(removal["order"]) == list(range(size))
        assert (np.diff(products[removal["order"]]) <= 1e-7).all()
        for count, found in zip(
            removal["counts"], removal["probabilities"], strict=True
        ):
            left = WORDS[at].copy()
            for place in removal["order"][:count]:
                left[places[place]] = 0  # the mask hides it from both levels
            wanted = classifier.predict(left[None])[0]
            np.testing.assert_allclose(found, wanted, rtol=1e-4)
        assert len({tuple(each) for each in removal["probabilities"]}) > 1
        ((method, gradient),) = explained["compared"]
        assert method == "input_gradient" and len(gradient) == size


def test_of_words_that_are_not_shown_none_is_taken_away(tmp_path):
    keras.utils.set_random_seed(1)
    classifier = regard.metrics.Classifier(hierarchical(), keras.ops.softmax)
    shorter = [DOCUMENTS[0], [["good"], ["very", "very"], ["see", "it"]]]
    path = regard.report(
        classifier, WORDS, path=tmp_path / "a.html", key_tokens=shorter,
        classes=["no", "yes"],
    )  # fmt: skip
    _, second = entries(path)
    assert sorted(second["explanation"]["removal"]["order"]) == list(range(5))


def test_sentences_of_any_map_weigh_what_their_words_sum_to(tmp_path):
    weights = np.array([[[0.5, 0.25, 0.25], [0, 0, 1]]])
    record = AttentionRecord(
        weights=weights,
        query_tokens=["a", "b"],
        key_tokens=list("xyz"),
        sentences=[2, 1],
    )
    found = record.sentences
    np.testing.assert_allclose(found.weights, [[[0.75, 0.25], [0, 1]]])
    np.testing.assert_allclose(found.words, [[[2 / 3, 1 / 3, 1], [0, 0, 1]]])
    example = Example(source="s", output="o", attention=record)
    (entry,) = entries(regard.report([example], path=tmp_path / "a.html"))
    assert entry["maps"][0]["sentences"]["lengths"] == [2, 1]
    assert regard.report([example], path=tmp_path / "b.html", redact="x").exists()


def test_the_mean_of_heads_comes_last():
    weights = np.array([[[0.5, 0.5, 0]], [[0, 0, 1.0]]])
    sentences = Sentences(lengths=[2, 1]).joined(weights)
    buffer = Numbers()
    packed = pack_sentences(sentences, weights, CODINGS["f32"][0], buffer)
    numbers = np.frombuffer(inflate(buffer.deflated()), "<f4")
    np.testing.assert_allclose(numbers[:6], [1, 0, 0, 1, 0.5, 0.5])
    assert packed["words"] == 24
    np.testing.assert_allclose(numbers[6:], [0.5, 0.5, 0, 0, 0, 1, 0.5, 0.5, 1])


def test_what_is_joined_once_stays():
    record = AttentionRecord(
        weights=[[0.9, 0.5, 0]],  # of sigmoid: its sums may be above 1
        query_tokens=["a"],
        key_tokens=list("xyz"),
        sentences=[2, 1],
    )
    again = replace(record, layer="other")
    assert again.sentences is record.sentences
    np.testing.assert_allclose(again.sentences.weights, [[[1.4, 0]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([2, 2], "3 keys together"),
        ([4, -1], "3 keys together"),
        (Sentences(lengths=[2, 1], weights=np.ones(3) / 3), r"shape \(2,\), \(1, 2\)"),
        (Sentences(lengths=[2, 1], words=[2, 0, 0]), "between 0 and 1"),
    ],
)
def test_sentences_that_do_not_fit_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        AttentionRecord(
            weights=[[0.5, 0.5, 0]],
            query_tokens=["a"],
            key_tokens=list("xyz"),
            sentences=given,
        )


def test_a_layer_called_for_each_sentence_reads_its_words():
    """The classic hierarchical model: an encoder of sentences in TimeDistributed."""
    words = keras.Input((3,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(words)
    encoder = keras.Model(words, regard.layers.AttentionPooling(name="words")(embedded))
    documents = keras.Input((2, 3), dtype="int32")
    sentences = keras.layers.TimeDistributed(encoder)(documents)
    read = regard.layers.AttentionPooling(name="sentences")(sentences)
    model = keras.Model(documents, read)
    x = np.array([[[1, 2, 3], [4, 5, 0]], [[6, 7, 0], [0, 0, 0]]])
    tokens = [[["a", "b", "c"], ["d", "e"]], [["f", "g"]]]
    maps = regard.attend_to(model, x)
    first, second = examples_of_maps(maps, Texts.of(None, tokens))
    names = [list(record.key_tokens) for record in first.records()]
    assert names == [["a", "b", "c"], ["d", "e"], ["1", "2"]]
    assert list(second.records()[0].key_tokens) == ["f", "g"]
    assert first.source == "a b c d e"
