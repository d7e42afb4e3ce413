"""Splits in which near-copies stay together: no test message was learnt from."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from regard.apps.translate.catalogues import Message

_STEM = 5  # letters: "page", "pages" and "paged" fold to nearly the same
_QUOTED = re.compile(r"[\"'«“„‘][^\"'»”“’]*[\"'»”“’]")
_SIGN = re.compile(r"[^\w\s#]|_")


def fold(text: str) -> str:
    """Return what near-copies have in common: stems without numbers, names, signs."""
    text = _QUOTED.sub(" # ", text.casefold())
    text = re.sub(r"\{\d+\}|\d+", " # ", text)
    words = _SIGN.sub(" ", text).split()
    return " ".join(word[:_STEM] for word in words)


def group_near_copies(messages: Sequence[Message]) -> list[list[Message]]:
    """Return the connected components of messages that fold alike on either side."""
    owner = list(range(len(messages)))

    def root(at: int) -> int:
        while owner[at] != at:
            owner[at] = owner[owner[at]]
            at = owner[at]
        return at

    first: dict[tuple[int, str], int] = {}
    for at, message in enumerate(messages):
        for side in (0, 1):
            folded = fold(message[side])
            if folded:
                owner[root(at)] = root(first.setdefault((side, folded), at))
    groups = defaultdict(list)
    for at, message in enumerate(messages):
        groups[root(at)].append(message)
    return list(groups.values())


def split_messages(
    messages: Sequence[Message], dev: int, test: int, seed: int = 0
) -> dict[str, list[Message]]:
    """Deal whole groups out to test, dev and train.

    Large groups (the commonest labels, in many variants) all go to train.

    Raises:
        ValueError: too few messages for the splits.
    """
    if len(messages) < 3 * (dev + test):
        raise ValueError(
            f"dev + test must be at most a third of the {len(messages)} messages. "
            f"Got {dev} + {test}."
        )
    groups = group_near_copies(messages)
    order = np.random.default_rng(seed).permutation(len(groups))
    splits: dict[str, list[Message]] = {"train": [], "dev": [], "test": []}
    room = {"test": test, "dev": dev}
    for group in (groups[at] for at in order):
        fits = (split for split in room if len(splits[split]) + 3 <= room[split])
        split = next(fits, "train") if len(group) <= 3 else "train"
        splits[split] += group
    return splits


def save_split(path: Path, messages: Sequence[Message]) -> None:
    """Write source, target and package as tab-separated lines."""
    lines = ("\t".join(message) + "\n" for message in messages)
    path.write_text("".join(lines), "utf-8", newline="\n")
