"""What a goal's number is, from the medians of what was measured.

Each function gives the number, the number in words, the spread of single turns and the
values it comes from; None where something was not measured.
"""

from __future__ import annotations

import math

from benchmarks.harness import middle


def speed(goal, size):
    times = size.get("times", {}).get(goal.action, {})
    ours, theirs = times.get(goal.ours), times.get(goal.peer)
    if not ours or not theirs:
        return None
    ratio = middle(theirs) / middle(ours)
    each = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    values = f"{_seconds(middle(ours))} / {_seconds(middle(theirs))}"
    return ratio, f"{ratio:.2f}x", f"{each[0]:.2f}-{each[-1]:.2f}", values


def memory(goal, size):
    memory = size.get("memory", {})
    ours = memory.get(goal.ours, {}).get(goal.action)
    theirs = memory.get(goal.peer, {}).get(goal.action)
    if ours is None or not theirs:
        return None
    values = f"{ours / 1e6:.0f} / {theirs / 1e6:.0f} MB"
    return ours / theirs, f"{ours / theirs:.2f}x", "", values


def extra(goal, size):
    times = size.get("times", {}).get(goal.action, {})
    ours, theirs = times.get(goal.ours), times.get(goal.peer)
    if not ours or not theirs:
        return None
    more = middle(ours) - middle(theirs)
    each = sorted(a - b for a, b in zip(ours, theirs, strict=True))
    values = f"{_seconds(middle(ours))} / {_seconds(middle(theirs))}"
    return more, f"{more:+.2f} s", f"{each[0]:+.2f}-{each[-1]:+.2f}", values


def planned(goal, size):
    measured = size.get("memory", {}).get(goal.ours, {}).get(goal.action)
    if not measured or "predicted" not in size:
        return None
    planned = size["predicted"]
    if planned is None:
        return math.inf, "no prediction", "", f"measured {measured / 1e6:.1f} MB"
    off = abs(planned / measured - 1)
    values = f"planned {planned / 1e6:.1f}, measured {measured / 1e6:.1f} MB"
    return off, f"{planned / measured - 1:+.0%}", "", values


def _across(goal, sizes, value):
    """Sizes with what was measured there, where it was."""
    found = [(size["units"], value(size)) for size in sizes if value(size)]
    return found if len(found) > 1 else None


def _ours(goal):
    def value(size):
        times = size.get("times", {}).get(goal.action, {}).get(goal.ours)
        return middle(times) if times else None

    return value


def growth(goal, sizes):
    found = _across(goal, sizes, _ours(goal))
    if found is None:
        return None
    return _exponent(found, [_seconds(value) for _, value in found])


def memory_growth(goal, sizes):
    lengths = [
        (size["size"]["length"], size.get("memory", {}).get(goal.ours, {}))
        for size in sizes
    ]
    found = [(n, memory[goal.action]) for n, memory in lengths if memory]
    if len(found) < 2:
        return None
    found = [(n, max(value, 1e6)) for n, value in found]  # below is noise
    return _exponent(found, [f"{value / 1e6:.0f}" for _, value in found], "MB")


def _exponent(found, shown, unit=""):
    """With which power the second grows with the first, between the two largest."""
    (few, small), (many, large) = found[-2:]
    power = math.log(large / small) / math.log(many / few)
    return power, f"power {power:.2f}", "", " ".join([*shown, unit]).strip()


def flat(goal, sizes):
    found = _across(goal, sizes, _ours(goal))
    if found is None:
        return None
    each = [value / units for units, value in found]
    ratio = max(each) / min(each)
    values = " ".join(f"{value * 1e9:.1f}" for value in each) + " ns per unit"
    return ratio, f"{ratio:.2f}x", "", values


def _seconds(value: float) -> str:
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


SINGLE = {"speed": speed, "memory": memory, "extra": extra, "planned": planned}
ACROSS = {"growth": growth, "memory growth": memory_growth, "flat": flat}
