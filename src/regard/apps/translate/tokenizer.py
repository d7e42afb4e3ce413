"""Subwords: byte-pair encoding whose text comes back exactly.

Words carry a leading mark (U+2581) in place of the space before them, so joining the
pieces and turning marks into spaces restores the text. Punctuation and digits are
pieces of their own, which keeps a small vocabulary small.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as splitters
from tokenizers.trainers import BpeTrainer

from regard.apps.special_ids import BOS, EOS, PAD, SPECIAL, UNK
from regard.apps.translate.bpe_dropout import merge_with_dropout

__all__ = ["BOS", "EOS", "PAD", "SPECIAL", "UNK", "WORD_MARK", "SubwordTokenizer"]

WORD_MARK = "\u2581"
UNKNOWN_TEXT = "\u2047"  # a double question mark, as SentencePiece shows it
_PUNCTUATION = frozenset(".,!?;:\"'«»()[]{}…—–-„“”‘’¿¡/")
_SHOWN = 200  # characters of what cannot be encoded


class SubwordTokenizer:
    """Byte-pair subwords with ids 0..3 for pad, begin, end and unknown.

    Make one with `SubwordTokenizer.train(texts, size)` or
    `SubwordTokenizer.from_json(text)`; `to_json()` is what a run folder keeps.
    """

    def __init__(self, tokenizer: Tokenizer):
        tokenizer.encode_special_tokens = True  # "<pad>" in a text is only text
        self._tokenizer = tokenizer
        size = tokenizer.get_vocab_size()
        self._pieces = [tokenizer.id_to_token(id) or "" for id in range(size)]
        if tuple(self._pieces[: len(SPECIAL)]) != SPECIAL:
            raise ValueError(
                f"tokenizer must begin with the pieces {SPECIAL}. "
                f"Got {tuple(self._pieces[: len(SPECIAL)])}."
            )

    @classmethod
    def train(cls, texts: Iterable[str], size: int = 4000) -> "SubwordTokenizer":
        """Learn at most `size` pieces from `texts` (the training side alone)."""
        if size <= len(SPECIAL):
            raise ValueError(f"size must be above {len(SPECIAL)}. Got {size}.")
        marks = re.escape("".join(sorted(_PUNCTUATION)))
        tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNK]))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(WORD_MARK, "_")]
        )
        tokenizer.pre_tokenizer = splitters.Sequence(
            [
                splitters.Metaspace(prepend_scheme="always"),
                splitters.Digits(individual_digits=True),
                splitters.Split(Regex(f"[{marks}]"), "isolated"),
            ]
        )
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
        trainer = BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def from_json(cls, text: str) -> "SubwordTokenizer":
        """Rebuild a tokenizer from `to_json`. Raises ValueError where it is not one."""
        try:
            return cls(Tokenizer.from_str(text))
        except ValueError:
            raise
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"not a saved tokenizer: {error}") from None

    def to_json(self) -> str:
        return self._tokenizer.to_str(pretty=True)

    @property
    def size(self) -> int:
        return len(self._pieces)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the piece ids of each text, without begin and end."""
        try:
            return [found.ids for found in self._tokenizer.encode_batch(list(texts))]
        except TypeError:  # half of a pair stands for a byte that was none
            got = ascii(list(texts))[:_SHOWN]
            raise ValueError(f"text must be Unicode, as UTF-8. Got {got}.") from None

    def encode_with_dropout(
        self, texts: Sequence[str], rate: float, random: np.random.Generator
    ) -> list[list[int]]:
        """As `encode`, leaving out each merge with probability `rate`.

        Provilkov et al. 2020, "BPE-Dropout", section 3. The same generator state
        gives the same pieces: the library's own dropout cannot be seeded.
        """
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"rate must be in [0, 1). Got {rate}.")
        if rate == 0.0:
            return self.encode(texts)
        return [
            [
                id
                for word in self._split(text)
                for id in self._ids_of(
                    merge_with_dropout(word, self._ranks, rate, random)
                )
            ]
            for text in texts
        ]

    def encode_words(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Encode words that are already split: ids, and the word of each id.

        For gold alignments, whose words are given: the mark stands before each word,
        so a full stop that is a word of its own gets one too.
        """
        found = [self.encode([word])[0] for word in words]
        ids = [id for pieces in found for id in pieces]
        return ids, [at for at, pieces in enumerate(found) for _ in pieces]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the pieces as they are, marks included."""
        return [self._pieces[id] for id in ids]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids` up to the first end mark."""
        shown = []
        for id in ids:
            if id == EOS:
                break
            if id not in (PAD, BOS):
                shown.append(UNKNOWN_TEXT if id == UNK else self._pieces[id])
        return "".join(shown).replace(WORD_MARK, " ").strip(" ")

    def words(self, ids: Sequence[int], punctuation: bool = True) -> list[list[int]]:
        """Group positions of `ids` into words, for merging alignments.

        Args:
            ids: the pieces of one text; begin, end and padding belong to no word.
            punctuation: True makes each mark of punctuation a word of its own.
        """
        groups: list[list[int]] = []
        alone = True
        for position, id in enumerate(ids):
            if id in (PAD, BOS, EOS):
                continue
            piece = self._pieces[id]
            mark = punctuation and self._is_punctuation(piece)
            last = self.pieces(ids[at] for at in groups[-1]) if groups else []
            bare = last == [WORD_MARK]  # the mark waits for what follows
            if piece.startswith(WORD_MARK) or ((mark or alone) and not bare):
                groups.append([])
            groups[-1].append(position)
            alone = mark
        return groups

    def _is_punctuation(self, piece: str) -> bool:
        return piece.lstrip(WORD_MARK) in _PUNCTUATION

    def _split(self, text: str) -> list[str]:
        normalizer, splitter = self._tokenizer.normalizer, self._tokenizer.pre_tokenizer
        return [
            word
            for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
        ]

    def _ids_of(self, pieces: Iterable[str]) -> list[int]:
        return [self._id_of.get(piece, UNK) for piece in pieces]

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {piece: id for id, piece in enumerate(self._pieces)}

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        merges = json.loads(self._tokenizer.to_str())["model"]["merges"]
        pairs = (pair if isinstance(pair, list) else pair.split(" ") for pair in merges)
        return {(left, right): rank for rank, (left, right) in enumerate(pairs)}
