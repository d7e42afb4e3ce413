"""Subwords: exact round trips, special ids, words, dropout from a seed."""

import random

import numpy as np
import pytest

from regard.apps.translate.tokenizer import (
    BOS,
    EOS,
    PAD,
    SPECIAL,
    UNK,
    UNKNOWN_TEXT,
    SubwordTokenizer,
)

STEMS = ["дом", "кот", "вода", "книга", "ночь", "город", "human", "water", "light"]
ENDINGS = ["", "а", "у", "ом", "s", "ing"]


def sentences(count: int = 400) -> list[str]:
    pick = random.Random(1)
    return [
        " ".join(pick.choice(STEMS) + pick.choice(ENDINGS) for _ in range(5))
        + pick.choice([".", "!", ", 1990?", " («да»)."])
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return SubwordTokenizer.train(sentences(), 120)


def test_decoding_restores_every_text(tokenizer):
    texts = sentences()
    assert [tokenizer.decode(ids) for ids in tokenizer.encode(texts)] == texts


def test_frequent_words_become_few_pieces(tokenizer):
    (ids,) = tokenizer.encode(["книга"])
    assert len(ids) < len("книга")


def test_special_ids(tokenizer):
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert tuple(tokenizer.pieces(range(4))) == SPECIAL
    assert tokenizer.size <= 120


def test_special_pieces_in_a_text_are_only_text(tokenizer):
    (ids,) = tokenizer.encode(["дом <eos> <pad>"])
    assert not {PAD, BOS, EOS} & set(ids)


def test_decoding_stops_at_the_end_and_shows_the_unknown(tokenizer):
    (ids,) = tokenizer.encode(["дом 語"])
    assert UNK in ids
    assert tokenizer.decode([BOS, *ids, EOS, *ids]) == f"дом {UNKNOWN_TEXT}"


def test_saved_and_loaded_it_is_the_same(tokenizer):
    again = SubwordTokenizer.from_json(tokenizer.to_json())
    assert again.encode(sentences()) == tokenizer.encode(sentences())
    assert UNK in again.encode(["<eos>"])[0]


def test_training_twice_gives_the_same(tokenizer):
    assert SubwordTokenizer.train(sentences(), 120).to_json() == tokenizer.to_json()


@pytest.mark.parametrize("text", ["{}", "no json", '{"version": "1.0"}'])
def test_something_else_than_a_tokenizer(text):
    with pytest.raises(ValueError, match="not a saved tokenizer"):
        SubwordTokenizer.from_json(text)


def test_a_vocabulary_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"size must be above 4\. Got 4"):
        SubwordTokenizer.train(["a"], 4)


def test_words_cover_the_pieces_and_spell_the_words(tokenizer):
    text = "домом waters, («да») 19."
    (ids,) = tokenizer.encode([text])
    spelled = [
        "".join(tokenizer.pieces(ids[p] for p in group)).strip("▁")
        for group in tokenizer.words(ids)
    ]
    assert spelled == ["домом", "waters", ",", "(", "«", "да", "»", ")", "19", "."]
    rough = tokenizer.words(ids, punctuation=False)
    assert [tokenizer.decode(ids[p] for p in group) for group in rough] == text.split()
    assert [position for group in rough for position in group] == list(range(len(ids)))


def test_end_marks_belong_to_no_word(tokenizer):
    (ids,) = tokenizer.encode(["кот"])
    groups = tokenizer.words([BOS, *ids, EOS, PAD])
    assert groups == [list(range(1, len(ids) + 1))]


def test_given_words_keep_their_numbers(tokenizer):
    words = ["водаs", ".", "домом"]
    ids, owner = tokenizer.encode_words(words)
    assert len(ids) == len(owner) and sorted(set(owner)) == [0, 1, 2]
    for number, word in enumerate(words):
        mine = [id for id, at in zip(ids, owner, strict=True) if at == number]
        assert tokenizer.decode(mine) == word


def test_dropout_is_exact_seeded_and_splits_more(tokenizer):
    texts = sentences()
    drawn = tokenizer.encode_with_dropout(texts, 0.3, np.random.default_rng(5))
    again = tokenizer.encode_with_dropout(texts, 0.3, np.random.default_rng(5))
    plain = tokenizer.encode(texts)
    assert drawn == again and drawn != plain
    assert sum(map(len, drawn)) > sum(map(len, plain))
    assert [tokenizer.decode(ids) for ids in drawn] == texts


def test_without_dropout_our_merging_is_the_library_s(tokenizer):
    texts = [*sentences(), "語 дом"]
    random_source = np.random.default_rng(0)
    almost_none = tokenizer.encode_with_dropout(texts, 1e-15, random_source)
    assert almost_none == tokenizer.encode(texts)
    assert tokenizer.encode_with_dropout(texts, 0.0, random_source) == almost_none


def test_dropout_out_of_range(tokenizer):
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\). Got 1.0"):
        tokenizer.encode_with_dropout(["a"], 1.0, np.random.default_rng(0))


def test_bytes_that_are_no_text_are_refused(tokenizer):
    with pytest.raises(ValueError, match=r"text must be Unicode.*Go\\udcff"):
        tokenizer.encode(["Go\udcff"])
