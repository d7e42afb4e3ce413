"""Byte-pair merging that leaves merges out at random, from a seed."""

import numpy as np


def merge_with_dropout(
    word: str,
    ranks: dict[tuple[str, str], int],
    rate: float,
    random: np.random.Generator,
) -> list[str]:
    """Merge the characters of a word, dropping each possible merge with `rate`.

    At every step the merges that are possible now are each left out with probability
    `rate`, and the best of the others is applied; when none is left, merging ends
    (Provilkov et al. 2020, algorithm 1). With `rate` 0 this is plain BPE.

    Args:
        word: the characters to merge.
        ranks: the rank of each merge, the best being 0.
        rate: the probability of leaving a merge out.
        random: where the randomness comes from.
    """
    pieces = list(word)
    while len(pieces) > 1:
        keep = random.random(len(pieces) - 1) >= rate
        best, at = len(ranks), -1
        for position in range(len(pieces) - 1):
            rank = ranks.get((pieces[position], pieces[position + 1]), len(ranks))
            if rank < best and keep[position]:
                best, at = rank, position
        if at < 0:
            break
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    return pieces
