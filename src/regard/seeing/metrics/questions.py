"""The four questions to attention as an explanation, one function each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regard.seeing.metrics import faithfulness
from regard.seeing.metrics.agreement import kendall_tau, random_tau
from regard.seeing.metrics.classifier import Classifier
from regard.seeing.metrics.controls import accuracy, uniform_predictions
from regard.seeing.metrics.intervals import Interval, bootstrap, paired
from regard.seeing.metrics.permutation import permutation_test
from regard.seeing.metrics.removal import Removal
from regard.seeing.metrics.settings import Settings

__all__ = [
    "NOT_TESTED",
    "REFUTES",
    "SUPPORTS",
    "Asked",
    "Evidence",
    "agreement",
    "comprehensiveness",
    "permutation",
    "uniform",
]

SUPPORTS, REFUTES, NOT_TESTED = "supports", "does not support", "not tested"
_ROUNDING = 1e-6  # of probabilities in float32
ENOUGH_VARIATION = 0.05  # of the answer, where permuting the weights is to matter


@dataclass(frozen=True)
class Evidence:
    """The answer to one question.

    - ``question``: "comprehensiveness", "permutation", "uniform" or "agreement".
    - ``verdict``: SUPPORTS, REFUTES or NOT_TESTED.
    - ``interval``: the number with its 95 % interval, None where nothing was measured.
    - ``baseline``: what it had to exceed.
    - ``beside``: other numbers that belong to it, by name.
    - ``reason``: why it was not tested: "no gradient", "no seeds",
      "nothing to rank", "no table".
    """

    question: str
    verdict: str
    interval: Interval | None = None
    baseline: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Asked:
    """What the questions are about: scores of tokens ``(B, S)``, True = ``valid``."""

    classifier: Classifier
    inputs: Any
    scores: np.ndarray
    valid: np.ndarray
    removal: Removal
    settings: Settings

    def area(self, scores: np.ndarray) -> np.ndarray:
        """AOPC of comprehensiveness for each example."""
        return faithfulness.comprehensiveness(
            self.classifier, self.inputs, scores, self.valid, self.removal
        ).area


def comprehensiveness(asked: Asked, gradient: np.ndarray | None) -> Evidence:
    """Do the tokens with the largest weights count for more than random ones?"""
    if not (asked.valid.sum(axis=1) > 1).any():
        return Evidence("comprehensiveness", NOT_TESTED, reason="nothing to rank")
    random = faithfulness.over_random(
        faithfulness.comprehensiveness,
        asked.classifier,
        asked.inputs,
        asked.valid,
        asked.removal,
        asked.settings.draws,
        asked.settings.seed,
    )
    own = asked.area(asked.scores)
    beside = {"attention": np.nanmean(own), "random": np.nanmean(random)}
    if gradient is not None:
        beside["gradient"] = np.nanmean(asked.area(gradient))
    return _judged("comprehensiveness", paired(own, random), 0.0, beside)


def permutation(asked: Asked, layer: str) -> Evidence:
    """Does the answer change when the weights of a row change places?"""
    settings = asked.settings
    found = permutation_test(
        asked.classifier, asked.inputs, layer, settings.permutations, settings.seed
    )
    if np.isnan(found.median).all():
        return Evidence("permutation", NOT_TESTED, reason="nothing to rank")
    beside = {"largest_weight": np.nanmean(found.largest_weight)}
    return _judged("permutation", bootstrap(found.median), ENOUGH_VARIATION, beside)


def uniform(asked: Asked, labels: np.ndarray, layer: str) -> Evidence:
    """Is the model worse with uniform weights, by more than two seeds differ?"""
    settings = asked.settings

    def right(model: Any) -> np.ndarray:
        other = Classifier(model, settings.probabilities)
        return accuracy(other.predict(asked.inputs), labels)

    own = right(asked.classifier.model)
    if settings.uniform is None:
        found = uniform_predictions(asked.classifier, asked.inputs, layer)
        even = accuracy(found, labels)
    else:
        even = right(settings.uniform)
    interval = paired(own, even)
    name = "accuracy_uniform" if settings.uniform is None else "accuracy_trained"
    beside = {"accuracy": own.mean(), name: even.mean()}
    if not settings.seeds:
        return Evidence(
            "uniform", NOT_TESTED, interval, beside=_plain(beside), reason="no seeds"
        )
    seeds = [own.mean(), *(right(model).mean() for model in settings.seeds)]
    return _judged("uniform", interval, float(np.ptp(seeds)), beside)


def agreement(asked: Asked, gradient: np.ndarray | None) -> Evidence:
    """Do weights rank tokens as gradient x input does, more than by chance?"""
    if gradient is None:
        return Evidence("agreement", NOT_TESTED, reason="no gradient")
    tau = kendall_tau(asked.scores, gradient, asked.valid)
    if np.isnan(tau).all():
        return Evidence("agreement", NOT_TESTED, reason="nothing to rank")
    drawn = random_tau(gradient, asked.valid, seed=asked.settings.seed)
    baseline = float(np.quantile(drawn, 0.95))
    interval = bootstrap(tau)
    verdict = SUPPORTS if interval.mean > baseline else REFUTES
    return Evidence("agreement", verdict, interval, baseline)


def _judged(
    question: str, interval: Interval, baseline: float, beside: Mapping[str, Any]
) -> Evidence:
    verdict = SUPPORTS if interval.low > baseline + _ROUNDING else REFUTES
    return Evidence(question, verdict, interval, baseline, _plain(beside))


def _plain(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(number) for name, number in numbers.items()}
