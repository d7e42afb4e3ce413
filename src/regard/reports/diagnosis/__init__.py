"""What the attention of a model looks like, and whether it explains, as text."""

from __future__ import annotations

from typing import Any

from regard.arguments import check_names
from regard.reports.diagnosis.result import ModelDiagnosis
from regard.reports.phrases import check_language
from regard.seeing.metrics.classifier import arrays_of, count_of
from regard.seeing.metrics.evidence import evidence
from regard.seeing.metrics.order import in_order
from regard.seeing.metrics.overview import overview
from regard.seeing.metrics.settings import Settings

__all__ = ["ModelDiagnosis", "diagnose"]


def diagnose(
    model: Any,
    data: Any,
    labels: Any = None,
    *,
    layers: Any = None,
    language: str = "en",
    **settings: Any,
) -> ModelDiagnosis:
    """Say what each head of a model does with some data, and print it.

        print(regard.diagnose(model, x))
        print(regard.diagnose(classifier, x, labels, language="ru"))

    Of each head: what is remarkable in a word ("uniform", "sink", "previous token",
    "padding leak"), how many positions it reads at once, exp(entropy), of how many it
    sees, and the mean distance it reads over beside that of uniform weights. Means are
    over examples, with n and their 95 % bootstrap interval.

    With ``labels`` of a classifier also four questions to the weights as an explanation
    of its answers, each with its number, interval and baseline: see
    ``regard.metrics.evidence``. They are never added up to one score.

    Args:
        model: as in ``regard.capture``; for labels a classifier.
        data: what it is called with: an array or a list, tuple or dict of arrays.
        labels: ``(B,)``, the numbers of the right classes.
        layers: as in ``regard.capture``; the last one called is asked the questions.
        language: "en" or "ru".
        **settings: as of ``regard.metrics.Settings``: ``probabilities`` where the model
            gives logits, ``seeds``, ``removal``, ``draws`` and others.

    Raises:
        ValueError: where the model has no attention, data are no arrays, or labels do
            not fit.
        TypeError: for an unknown setting.
    """
    check_names(diagnose, settings, Settings)
    check_language(language)
    inputs = arrays_of(data)
    count, heads = count_of(inputs), overview(model, inputs, layers)
    if labels is None:
        return ModelDiagnosis(count, tuple(heads), language=language)
    layer = in_order(model, inputs, layers)[-1]
    found = evidence(model, data, labels, layer, **settings)
    return ModelDiagnosis(count, tuple(heads), found, layer, language)
