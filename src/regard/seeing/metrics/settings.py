"""How the questions to attention as an explanation are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from regard.seeing.metrics.removal import Removal

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the questions are asked.

    - ``probabilities``: as of ``Classifier``.
    - ``embedding``: as of ``gradient_times_input``.
    - ``removal``: how a token is taken away; by default hidden from every attention
      layer that reads as many keys as the layer asked about.
    - ``seeds``: models trained alike from other seeds, whose accuracies say how much a
      difference is worth.
    - ``uniform``: a model trained with uniform weights; by default the model itself is
      evaluated with uniform weights.
    - ``draws``: random rankings to remove tokens by, at least 20.
    - ``permutations``: of each example's weights.
    - ``seed``: of all that is drawn.
    """

    probabilities: Callable[[Any], Any] | None = None
    embedding: str | None = None
    removal: Removal | None = None
    seeds: Sequence[Any] = ()
    uniform: Any = None
    draws: int = 20
    permutations: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("draws", 20), ("permutations", 1)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"{name} must be at least {least}. Got {getattr(self, name)}."
                )
        if isinstance(self.seeds, str) or not isinstance(self.seeds, Sequence):
            raise ValueError(
                "seeds must be a list of models, trained like this one from other "
                f"seeds. Got {self.seeds!r}; what is drawn follows seed=."
            )
