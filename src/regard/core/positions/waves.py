"""Frequencies of sines and cosines."""


def frequencies(width: int, base: float) -> list[float]:
    """base^(-2m/width), the fastest wave first; width / 2 of them."""
    return [base ** (-2.0 * m / width) for m in range(width // 2)]
