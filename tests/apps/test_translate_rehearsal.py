"""A rehearsal searches every shape of source once, and no more."""

import numpy as np

from regard.apps.translate.translator import Translator


class Letters:
    """A tokenizer whose pieces are letters."""

    def encode(self, texts):
        return [[ord(letter) for letter in text] for text in texts]


def test_every_shape_is_searched_once(monkeypatch):
    translator = Translator(None, Letters(), Letters())
    texts = ["a" * length for length in range(1, 21) for _ in range(16)]
    shapes = []

    def search(source):
        shapes.append(np.shape(source))

    monkeypatch.setattr(translator, "_searcher", lambda beam, options: search)
    translator.rehearse(texts)
    assert sorted(shapes) == [(64, 8), (64, 16), (64, 24)]
