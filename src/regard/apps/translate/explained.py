"""How a translator came to a word: the trace of its attention, with the pieces."""

from dataclasses import dataclass

import numpy as np
from keras import ops

from regard.apps.special_ids import BOS
from regard.apps.translate.evaluation import Translation, Translator
from regard.seeing.capture import capture
from regard.seeing.pieces import without_mark, word_groups
from regard.trace import Trace


@dataclass(frozen=True, eq=False)
class TracedTranslation:
    """A translation, and one attention layer's trace while it was written.

    ``words`` (T') are the words of the translation, the end mark included, each with
    the numbers of its pieces.
    """

    translation: Translation
    trace: Trace
    words: list[tuple[str, list[int]]]

    def piece_of(self, word: int) -> int:
        """The first piece of a word, words counted from 1.

        Raises:
            ValueError: for a word that is not there.
        """
        if not 1 <= word <= len(self.words):
            known = " ".join(f"{n}:{w}" for n, (w, _) in enumerate(self.words, 1))
            raise ValueError(
                f"word must be a number from 1 to {len(self.words)} ({known}). "
                f"Got {word}."
            )
        return self.words[word - 1][1][0]


def traced(
    translator: Translator, text: str, beam: int = 5, layer: str | None = None
) -> TracedTranslation:
    """Translate, and read the translation once more with its attention recorded.

    Without ``layer`` it is the one whose weights the model shows as its alignment.

    Raises:
        ValueError: for an empty text, or a layer that the model does not have.
    """
    if not text.strip():
        raise ValueError("text must hold something to translate. Got nothing.")
    found = translator.translate([text], beam=beam)[0]
    source = np.array([found.source_ids], "int32")
    target = np.array([[BOS, *found.ids[:-1]]], "int32")
    model = translator.model
    with capture(model, layers=layer, whole=True) as maps:
        _, aligned = model(
            (source, target), training=False, return_attention_scores=True
        )
    calls = [call for each in maps.values() for call in each]
    shown = calls[0] if layer else _equal(calls, ops.convert_to_numpy(aligned))
    groups = word_groups(found.pieces)
    words = [
        ("".join(without_mark(found.pieces[n]) for n in group), group)
        for group in groups
    ]
    return TracedTranslation(found, shown, words)


def _equal(calls: list[Trace], aligned: np.ndarray) -> Trace:
    """The call whose weights are those the model shows."""
    for call in calls:
        weights = call.weights
        if weights is None:
            continue
        if aligned.ndim == 3:
            aligned = aligned[:, None]
        if weights.shape == aligned.shape and np.allclose(weights, aligned, atol=1e-5):
            return call
    raise AssertionError("the model's alignment is that of one of its layers")
