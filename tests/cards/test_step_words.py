"""The sentences of a step say the same facts in both languages."""

import re

import pytest

from regard.cards import cards

BRACES = re.compile(r"\{(\w+)[^}]*\}")


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.name)
def test_both_languages_fill_in_the_same_facts(card):
    for step in card.steps:
        found = {
            language: {fact for text in words for fact in BRACES.findall(text)}
            for language, words in step.words.items()
        }
        assert all(each == found["en"] for each in found.values()), step.name
