"""When a head first did something."""

import numpy as np

from regard.seeing.diagnostics import diagnose
from regard.seeing.milestones import SHARPENED, first_places

FLAT, EYE = np.full((4, 4), 0.25), np.eye(4)


def looks(*shares):
    """A head on its way from uniform to diagonal, by how far it has come."""
    found = [diagnose(share * EYE + (1 - share) * FLAT) for share in shares]
    return [each.words() for each in found], [each.entropy for each in found]


def test_words_are_dated_by_the_first_look_at_which_they_are_true():
    said, entropy = looks(0, 0.6, 0.8, 1.0)
    assert entropy[1] / entropy[0] > SHARPENED > entropy[2] / entropy[0]
    assert first_places(said, entropy) == {"uniform": 0, "sharpened": 2, "diagonal": 3}


def test_what_comes_and_goes_is_dated_once():
    said, entropy = looks(1.0, 0, 1.0)
    assert first_places(said, entropy) == {"diagonal": 0, "uniform": 1}


def test_entropy_that_is_no_number_sharpens_nothing():
    assert first_places([(), ()], [None, 0.1]) == {}
    assert first_places([("not finite",), ()], [0.9, None]) == {"not finite": 0}
    assert first_places([], []) == {}
