"""How many rows of a table of scores a walk takes at once."""


def equal_rows(length: int, memory: int, scores: int, fewest: int = 16) -> int:
    """Rows of each of a length's equal blocks of at most so many scores.

    At least ``fewest``, however long the memory, where the length has them; never 0.
    """
    most = max(fewest, scores // max(memory, 1))
    length = max(length, 1)
    return -(-length // -(-length // most))
