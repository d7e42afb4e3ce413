"""Slower rotations for contexts longer than were trained."""

import math
from typing import Any

import keras

from regard.core.parts import Part, part_of

__all__ = ["NTK", "Linear", "Llama3", "LongRoPE", "Scaling", "YaRN", "get_scaling"]


class Scaling(Part):
    """Changes the frequencies of RoPE; abstract."""

    def frequencies(self, plain: list[float], base: float, width: int) -> list[float]:
        """The new frequencies, the fastest first."""
        raise NotImplementedError(f"{type(self).__name__} must define frequencies.")

    def size(self) -> float:
        """A factor on the rotated queries and on the rotated keys."""
        return 1.0


@keras.saving.register_keras_serializable("regard")
class Linear(Scaling):
    r"""$\theta / s$: positions are squeezed together.

    Chen et al. 2023, arXiv:2306.15595, section 2.3.

    Args:
        factor: s, the new context over the trained one.
    """

    def __init__(self, factor):
        self.factor = positive("factor", factor)

    def frequencies(self, plain, base, width):
        return [each / self.factor for each in plain]

    def get_config(self):
        return {"factor": self.factor}


@keras.saving.register_keras_serializable("regard")
class NTK(Scaling):
    r"""$\text{base} \to \text{base}\cdot s^{d/(d-2)}$: fast turns stay, slow ones slow.

    Peng et al. 2023, arXiv:2309.00071, section 3.1.

    Args:
        factor: s.
    """

    def __init__(self, factor):
        self.factor = positive("factor", factor)

    def frequencies(self, plain, base, width):
        base = base * self.factor ** (width / (width - 2))
        return [base ** (-2.0 * i / width) for i in range(width // 2)]

    def get_config(self):
        return {"factor": self.factor}


@keras.saving.register_keras_serializable("regard")
class YaRN(Scaling):
    r"""Slow turns are squeezed by s, fast ones kept, between them a ramp.

    Turns that fit the trained context less than ``slow`` times are squeezed, more than
    ``fast`` times kept. Queries and keys both grow by $0.1 \ln s + 1$.

    Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4.

    Args:
        factor: s.
        original_length: the trained context.
        fast, slow: the paper's beta and alpha.
        truncate: round the ends of the ramp to whole pairs, as most code does.
        attention_factor: instead of $0.1 \ln s + 1$.
    """

    def __init__(
        self,
        factor,
        original_length,
        fast=32.0,
        slow=1.0,
        truncate=True,
        attention_factor=None,
    ):
        self.factor = positive("factor", factor)
        self.original_length = positive("original_length", original_length)
        self.fast, self.slow = float(fast), float(slow)
        self.truncate = bool(truncate)
        self.attention_factor = attention_factor

    def frequencies(self, plain, base, width):
        low, high = (self._pair(turns, base, width) for turns in (self.fast, self.slow))
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, width - 1)
        if low == high:
            high += 0.001
        found = []
        for i, each in enumerate(plain):
            squeezed = min(max((i - low) / (high - low), 0.0), 1.0)
            found.append(each / self.factor * squeezed + each * (1.0 - squeezed))
        return found

    def _pair(self, turns, base, width):
        """The pair, as a real number, that turns so often in the trained context."""
        ratio = self.original_length / (turns * 2 * math.pi)
        return width * math.log(ratio) / (2 * math.log(base))

    def size(self):
        if self.attention_factor is not None:
            return float(self.attention_factor)
        return 1.0 if self.factor <= 1 else 0.1 * math.log(self.factor) + 1.0

    def get_config(self):
        return {
            "factor": self.factor,
            "original_length": self.original_length,
            "fast": self.fast,
            "slow": self.slow,
            "truncate": self.truncate,
            "attention_factor": self.attention_factor,
        }


@keras.saving.register_keras_serializable("regard")
class Llama3(Scaling):
    r"""Wave lengths above L / low are squeezed by s, below L / high kept, else mixed.

    As in the released code of Llama 3.1.

    Args:
        factor: s.
        original_length: L, the trained context.
        low, high: where squeezing starts and ends.
    """

    def __init__(self, factor=8.0, original_length=8192, low=1.0, high=4.0):
        self.factor = positive("factor", factor)
        self.original_length = positive("original_length", original_length)
        self.low, self.high = float(low), float(high)

    def frequencies(self, plain, base, width):
        found = []
        for each in plain:
            waves = self.original_length * each / (2 * math.pi)
            if waves < self.low:
                found.append(each / self.factor)
            elif waves > self.high:
                found.append(each)
            else:
                kept = (waves - self.low) / (self.high - self.low)
                found.append((1.0 - kept) * each / self.factor + kept * each)
        return found

    def get_config(self):
        return {
            "factor": self.factor,
            "original_length": self.original_length,
            "low": self.low,
            "high": self.high,
        }


@keras.saving.register_keras_serializable("regard")
class LongRoPE(Scaling):
    r"""$\theta_i / \lambda_i$: every pair has a factor of its own, found by search.

    Ding et al. 2024, arXiv:2402.13753. Models have one list of factors for
    contexts up to the trained length and one for longer ones: build the layer with the
    list that suits its use.

    Args:
        factors: one per pair, the fastest first.
        attention_factor: multiplies the rotated queries and keys.

    Raises:
        ValueError: where there is not one factor per pair.
    """

    def __init__(self, factors, attention_factor=1.0):
        self.factors = tuple(positive("factors", each) for each in factors)
        self.attention_factor = float(attention_factor)

    def frequencies(self, plain, base, width):
        if len(plain) != len(self.factors):
            raise ValueError(
                f"factors must be one number per pair, {len(plain)}. Got "
                f"{len(self.factors)}."
            )
        return [each / by for each, by in zip(plain, self.factors, strict=True)]

    def size(self):
        return self.attention_factor

    def get_config(self):
        return {
            "factors": list(self.factors),
            "attention_factor": self.attention_factor,
        }


def positive(name: str, value: Any) -> float:
    """A positive number, or an error saying so."""
    if not value > 0:
        raise ValueError(f"{name} must be positive. Got {value!r}.")
    return float(value)


def get_scaling(scaling: Any) -> Scaling | None:
    """A scaling from itself or its configuration."""
    wanted = "scaling must be None or a regard.positions scaling such as YaRN(4, 2048)"
    return part_of(Scaling, scaling, wanted)
