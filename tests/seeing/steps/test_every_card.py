"""No card is left out: each has steps, and some test explains what it describes."""

import keras
import pytest

from regard.cards import cards
from regard.seeing.steps.entries import card_of_class
from tests.conformance.cases import CASES
from tests.seeing.steps.parts import CALLS, EXPLAINED

# What a layer does when it is called with a state; test_parts explains it.
ELSEWHERE = {"key_value_cache"}


def configs_in(config):
    """Every class in a configuration, with what is in it."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config["class_name"].rpartition(">")[2]
        for each in config.values():
            yield from configs_in(each)
    if isinstance(config, (list, tuple)):
        for each in config:
            yield from configs_in(each)


def classes_of(part):
    """The class of a layer, loss or part, and of all that it is put together from."""
    yield type(part).__name__
    yield from configs_in(part.get_config())


def explained():
    """The names of cards whose mechanism some case of these tests explains."""
    found = set()
    parts = [each.make() for each in CASES]
    parts += [call.args[0] for call in CALLS.values()]
    parts += [call.keywords.get("attention_mask") for call in CALLS.values()]
    parts += [part for part, _, _ in EXPLAINED.values()]
    for part in parts:
        if part is None:
            continue
        found.add(getattr(part, "mechanism", ""))
        found |= {card.name for card in map(card_of_class, classes_of(part)) if card}
    return found


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.name)
def test_every_card_has_steps(card):
    assert card.steps


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the others explain a sample"
)
def test_every_card_is_explained_somewhere():
    lacking = {card.name for card in cards()} - explained() - ELSEWHERE
    assert lacking == set()
