"""What this processor can do at most: products, memory traffic, functions.

Measured, like everything else, in the run that is judged by it: the best of NumPy and,
where it is installed, torch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.harness import Cost

SIDE = 2048  # of the matrices that are multiplied
MEGABYTES = 256  # of each array that is copied
BLOCK = 1 << 14  # numbers whose exponentials are taken at once: they stay in cache
NAMES = {
    "arithmetic": "arithmetic",
    "traffic": "memory traffic",
    "functions": "element-wise functions",
}
FAR = 20  # times the limit, from where something else than the limit is the bound


def measure() -> dict[str, float]:
    """Rates per second: operations of products, bytes copied, exponentials."""
    return {"arithmetic": _products(), "traffic": _copies(), "functions": _functions()}


def bound_of(cost: Cost, rates: Mapping[str, float]) -> tuple[float, str]:
    """The least seconds that a cost takes, and what they are spent on."""
    seconds = {name: getattr(cost, name) / rates[name] for name in NAMES}
    slowest = max(seconds, key=seconds.__getitem__)
    return seconds[slowest], NAMES[slowest]


def distance(seconds: float, cost: Cost, rates: Mapping[str, float]) -> str:
    """How far a time is from the limit, in words."""
    least, what = bound_of(cost, rates)
    times = seconds / least
    if times > FAR:
        return f"{times:.0f}x {what}: overhead"
    return f"{times:.1f}x {what}"


def _best(run: Callable[[], object], repeats: int = 5) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _products() -> float:
    left = np.ones((SIDE, SIDE), "float32")
    times = [_best(lambda: left @ left)]
    try:
        import torch
    except ImportError:
        pass
    else:
        tensor = torch.ones(SIDE, SIDE)
        # A convolution over one place is a product by oneDNN, which is faster on some.
        image, kernel = tensor[None, None].permute(0, 3, 1, 2), tensor[:, :, None, None]
        times.append(_best(lambda: tensor @ tensor))
        times.append(_best(lambda: torch.nn.functional.conv2d(image, kernel)))
    return 2 * SIDE**3 / min(times)


def _copies() -> float:
    workers = os.cpu_count() or 1
    size = MEGABYTES * 1_000_000 // 4 // workers
    pairs = [[np.ones(size, "float32") for _ in range(2)] for _ in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        seconds = _best(lambda: list(pool.map(lambda pair: np.copyto(*pair), pairs)))
    return 2 * 4 * size * workers / seconds  # read once, written once


def _functions() -> float:
    workers, rounds = os.cpu_count() or 1, 512

    def many(_):
        block = np.linspace(-4, 4, BLOCK, dtype="float32")
        into = np.empty_like(block)
        for _ in range(rounds):
            np.exp(block, out=into)

    with ThreadPoolExecutor(workers) as pool:
        seconds = _best(lambda: list(pool.map(many, range(workers))))
    rates = [workers * rounds * BLOCK / seconds]
    try:
        import torch
    except ImportError:
        return rates[0]
    numbers = torch.linspace(-4, 4, 1 << 20)
    result = torch.empty_like(numbers)
    seconds = _best(lambda: [torch.exp(numbers, out=result) for _ in range(8)])
    return max(*rates, 8 * len(numbers) / seconds)
