"""One id for each character."""

from collections.abc import Iterable, Sequence

import numpy as np

from regard.apps.special_ids import EOS, PAD, SPECIAL, UNK


class Characters:
    """A vocabulary of characters, sorted; ids 0..3 are pad, begin, end, unknown."""

    def __init__(self, characters: Iterable[str]):
        self.characters = "".join(sorted(set(characters)))
        self._ids = {c: id for id, c in enumerate(self.characters, len(SPECIAL))}

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Characters":
        """Collect the characters of texts."""
        return cls(character for text in texts for character in text)

    @property
    def size(self) -> int:
        return len(SPECIAL) + len(self.characters)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, without begin and end."""
        return [[self._ids.get(character, UNK) for character in text] for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text up to the first end mark."""
        text = []
        for id in ids:
            if id == EOS:
                break
            if id >= len(SPECIAL):
                text.append(self.characters[id - len(SPECIAL)])
        return "".join(text)

    def pad(self, texts: Sequence[str], length: int | None = None) -> np.ndarray:
        """Return ids with an end mark, padded: (B, longest or `length`) int32."""
        rows = [[*ids, EOS] for ids in self.encode(texts)]
        width = max(map(len, rows)) if length is None else length
        padded = np.full((len(rows), width), PAD, "int32")
        for row, ids in enumerate(rows):
            if len(ids) > width:
                raise ValueError(
                    f"texts must be shorter than {width} characters here. "
                    f"Got {len(ids) - 1}: {texts[row]!r}."
                )
            padded[row, : len(ids)] = ids
        return padded
