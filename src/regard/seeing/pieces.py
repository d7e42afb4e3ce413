"""Subword pieces: which words they make, and how they look without their marks."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "SPECIAL_TOKENS",
    "is_special",
    "pieces_of_words",
    "without_mark",
    "word_groups",
    "word_starts",
]

#: Names that tokenizers give to the start, the end, padding and the unknown.
SPECIAL_TOKENS = frozenset(
    f"{left}{name}{right}"
    for left, right in ("<>", "[]")
    for name in (
        *("s", "/s", "pad", "unk", "mask", "cls", "sep"),
        *("bos", "eos", "start", "end", "sos"),
    )
)

# How the tokenizers mark words: a piece that starts one, a piece that goes on with
# one, a piece that ends one, a piece that does not end one.
_STARTS = ("▁", "Ġ")
_CONTINUES = ("##",)
_ENDS = ("</w>",)
_GOES_ON = ("@@", "￭")


def is_special(token: str) -> bool:
    """Whether the token is a start, end, padding, unknown or mask mark."""
    return token.lower() in SPECIAL_TOKENS


def word_starts(tokens: Sequence[str]) -> list[bool]:
    """For each token, whether it begins a word.

    The convention is read off the tokens: ``▁x`` and ``Ġx`` begin a word, ``##x``
    continues one, ``x</w>`` ends one, ``x@@`` and ``x￭`` are continued by the next.
    Without any of these marks every token is a word of its own. A special token is
    always a word of its own.
    """
    convention = _convention(tokens)
    starts = []
    for index, token in enumerate(tokens):
        previous = tokens[index - 1] if index else ""
        alone = not index or is_special(token) or is_special(previous)
        starts.append(alone or convention(token, previous))
    return starts


def word_groups(tokens: Sequence[str]) -> list[list[int]]:
    """The indices of the pieces of each word, in order.

    >>> word_groups(["▁un", "seen", "▁things", "</s>"])
    [[0, 1], [2], [3]]
    """
    groups: list[list[int]] = []
    for index, starts in enumerate(word_starts(tokens)):
        if starts:
            groups.append([])
        groups[-1].append(index)
    return groups


def without_mark(token: str) -> str:
    """The piece without its word mark; a piece that is only a mark stays.

    >>> without_mark("▁кот"), without_mark("##ка"), without_mark("▁")
    ('кот', 'ка', '▁')
    """
    for mark in (*_STARTS, *_CONTINUES):
        if token.startswith(mark):
            return token[len(mark) :] or token
    for mark in (*_ENDS, *_GOES_ON):
        if token.endswith(mark):
            return token[: -len(mark)] or token
    return token


def pieces_of_words(pieces: Sequence[str], words: Sequence[str]) -> list[list[int]]:
    """For words that are known, the indices of the pieces that spell each.

    The pieces must spell the words in order; spaces and word marks do not count, and
    an unknown piece stands for one character. A piece that reaches over several words
    belongs to each of them; a piece that is only a mark to the one after it.

    Raises:
        ValueError: the pieces spell something longer or shorter.

    >>> pieces_of_words(["▁it", "'", "s", "."], ["it", "'s", "."])
    [[0], [1, 2], [3]]
    """
    owner = [word for word, text in enumerate(words) for _ in "".join(text.split())]
    groups: list[list[int]] = [[] for _ in words]
    place = 0
    for index, piece in enumerate(pieces):
        spelled = 1 if is_special(piece) else len(_bare(piece))
        for word in sorted(set(owner[place : place + max(1, spelled)])):
            groups[word].append(index)
        place += spelled
    if place != len(owner):
        raise ValueError(
            f"pieces must spell the words, {len(owner)} characters. Got {place}; "
            "normalize the words as the tokenizer does."
        )
    return groups


def _bare(piece: str) -> str:
    text = without_mark(piece)
    return "" if text in (*_STARTS, *_CONTINUES, *_ENDS, *_GOES_ON) else text


def _convention(tokens: Sequence[str]):
    ordinary = [token for token in tokens if not is_special(token)]
    if any(token.startswith(_STARTS) for token in ordinary):
        return lambda token, previous: token.startswith(_STARTS)
    if any(token.startswith(_CONTINUES) for token in ordinary):
        return lambda token, previous: not token.startswith(_CONTINUES)
    if any(token.endswith(_ENDS) for token in ordinary):
        return lambda token, previous: previous.endswith(_ENDS)
    if any(token.endswith(_GOES_ON) for token in ordinary):
        return lambda token, previous: not previous.endswith(_GOES_ON)
    return lambda token, previous: True
