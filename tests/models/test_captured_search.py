"""A capture of a search shows the alignment of the best hypothesis."""

import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.apps.translate.translator import Translator
from regard.models import Search, Searcher
from tests.models.small import make_ids, make_model

SEARCHES = {
    "greedy": Search(max_length=6),
    "beam": Search(beam=3, max_length=6),
    "sampling": Search(max_length=6, temperature=1.5),
}
CASES = [
    ("bahdanau", "beam"),
    ("luong-feeding", "greedy"),
    ("transformer", "beam"),
    pytest.param("bahdanau", "sampling", marks=pytest.mark.thorough),
    pytest.param("transformer", "sampling", marks=pytest.mark.thorough),
    pytest.param("luong-feeding", "beam", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_best_hypothesis_is_shown(name, kind):
    model = make_model(name)
    source, _ = make_ids()
    search = Searcher(model, SEARCHES[kind])
    before = search(source, seed=4)
    with regard.capture(model) as maps:
        found = search(source, seed=4)
    for field, value in vars(before).items():
        assert_array_equal(getattr(found, field), value, field)
    assert all(len(calls) == 1 for calls in maps.values())
    path = list(maps)[-1] if name != "transformer" else aligned(model, maps)
    weights = maps[path].weights
    lengths = found.lengths[:, 0]
    assert weights.shape[2] == lengths.max()
    for row, length in enumerate(lengths):
        expected = found.alignments[row, 0, :, :length]
        assert_allclose(weights[row, :, :length], expected, atol=2e-6)
    search(source)  # what was compiled meanwhile tells no more
    assert len(maps[path]) == 1


def aligned(model, maps):
    """The path of the attention to the source in the first block."""
    layer = model.decoder.blocks[0].cross_attention
    return next(name for name in maps if name.split("#")[0] == layer.path)


def test_what_was_first_compiled_under_capture_tells_no_more():
    model = make_model("luong-feeding")
    source, _ = make_ids(batch=2)
    search = Searcher(model, SEARCHES["greedy"])
    with regard.capture(model) as maps:
        search(source, shown=1)
    (calls,) = maps.values()
    assert len(calls) == 1 and len(calls.weights) == 1
    search(source)
    assert len(calls) == 1


def test_rows_of_a_search():
    model = make_model("bahdanau")
    source, _ = make_ids()
    with regard.capture(model, rows=[0, 1]) as maps:
        found = Searcher(model, SEARCHES["greedy"])(source)
    (calls,) = maps.values()
    assert calls.weights.shape == (4, 1, 2, 6)
    assert_allclose(calls.weights[:, :, 0], found.alignments[:, 0, :, 0], atol=2e-6)


class Digits:
    """A tokenizer whose pieces are digits."""

    def encode(self, texts):
        return [[int(digit) for digit in text] for text in texts]

    def decode(self, ids):
        return "".join(map(str, ids))

    def pieces(self, ids):
        return list(map(str, ids))


def test_a_translator_shows_its_texts_alone():
    model = make_model("luong-feeding")
    translator = Translator(model, Digits(), Digits(), max_length=6)
    with regard.capture(model) as maps:
        first, second = translator.translate(["56", "4567"], beam=2)
    (calls,) = maps.values()
    assert len(calls) == 1
    assert len(calls.weights) == 2  # of the rows that hold a text, the shortest first
    for row, found in enumerate((first, second)):
        size = found.weights.shape
        shown = calls.weights[row, 0, : size[0], : size[1]]
        assert_allclose(shown, found.weights, atol=2e-6)


def test_a_text_that_is_cut_is_told():
    translator = Translator(make_model("luong-feeding"), Digits(), Digits(), 6)
    whole = translator.translate(["56", "456745"], beam=2)
    with pytest.warns(
        UserWarning, match=r"at most 6 pieces.* 9 in texts\[1\] \(1 of 2"
    ):
        cut = translator.translate(["56", "456745674"], beam=2)
    assert [each.source_ids for each in cut] == [each.source_ids for each in whole]
