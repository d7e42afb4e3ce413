"""Frequencies of sines and cosines."""


def frequencies(width: int, base: float) -> list[float]:
    """base^(-2m/width), the fastest wave first; half as many as the width, or more."""
    return [base ** (-2.0 * m / width) for m in range((width + 1) // 2)]
