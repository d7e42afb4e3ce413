"""When a head first did something while it was trained."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SHARPENED", "first_places"]

#: A head is "sharpened" once its entropy is under this part of what it began with; at
#: which numbers the other words are said, `regard.seeing.diagnostics` knows.
SHARPENED = 0.5


def first_places(
    said: Sequence[Sequence[str]], entropy: Sequence[float | None]
) -> dict[str, int]:
    """Word -> the first of a training's looks at a head at which it is true of it.

    ``said`` and ``entropy`` are of one head, look by look: the words of its
    `regard.seeing.diagnostics.Diagnosis` and its normalized entropy, None where that is
    no number. Words come in the order in which they became true; "sharpened" is one of
    them, once the entropy is under `SHARPENED` of what it was at the first look.
    """
    began = entropy[0] if entropy else None
    found: dict[str, int] = {}
    for place, (words, now) in enumerate(zip(said, entropy, strict=True)):
        for word in words:
            found.setdefault(word, place)
        if began is not None and now is not None and now < SHARPENED * began:
            found.setdefault("sharpened", place)
    return found
