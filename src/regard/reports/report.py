"""One call from a model, from captured maps or from examples to a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from regard.arguments import check_names
from regard.reports.captured import examples_of_maps, examples_of_probe
from regard.reports.classified import classified
from regard.reports.example import Example
from regard.reports.notebook import NotebookPath
from regard.reports.page import render_report, write_report
from regard.reports.page_facts import facts_of, in_languages
from regard.reports.phrases import check_language
from regard.reports.redaction import Redact, Redaction
from regard.reports.texts import Texts, Tokens
from regard.seeing.capture import attend_to, attention_layers
from regard.seeing.metrics.classifier import Classifier

__all__ = ["report"]


def report(
    what: Any,
    *inputs: Any,
    path: str | Path,
    query_tokens: Tokens = None,
    key_tokens: Tokens = None,
    other: Any = None,
    classes: Sequence[str] | None = None,
    redact: Redact | None = None,
    **page: Any,
) -> Path:
    """Write one offline HTML page that shows what a model attended to.

        regard.report(model, x, path="attention.html", key_tokens=tokens)
        regard.report(model, x, path="attention.html", key_tokens=tokens,
                      classes=["bad", "good"])
        regard.report(maps, path="attention.html", query_tokens=out, key_tokens=tokens)
        regard.report(probe, path="training.html", key_tokens=tokens)
        regard.report(examples, path="attention.html", facts={"BLEU": 31.2})

    Args:
        what: a Keras model, called with the inputs while it is captured, or a
            ``regard.metrics.Classifier`` of one that gives no probabilities; the maps
            of ``regard.capture``; a ``regard.seeing.probe.AttentionProbe``; or examples
            (``regard.reports.Example``), which can hold more: right answers, links
            people drew, other explanations, a second model, series and sound.
        *inputs: of the model's call.
        path: of the file; its folder is made.
        query_tokens: what stands at the queries' places (of a translator, the output);
            one list, or one for each example. Padding after them is cut off.
        key_tokens: likewise of the keys. One of the two alone is taken for both; of
            several layers, each takes the sides that fit its lengths. Without any,
            places have numbers. For each example it may be a list of sentences, each a
            list of words: the text then has a bar for the weight of every sentence.
        other: a second model, called with the same inputs, or its maps: the page then
            shows one, the other, and what changes; ``names`` says what they are called.
        classes: names of a classifier's classes: the page then shows its answers, how
            they move while the strongest tokens are hidden (of documents the words of
            the largest product of sentence and word weight), and gradient x input.
        redact: a function of a text, or words and compiled patterns, to be blacked out
            in every text and token before anything is written.
        **page: ``title``, ``facts``, ``language`` ("en" or "ru"), ``names`` of two
            models, ``evidence``, an answer of ``regard.diagnose``, and
            ``embed_audio``, whether the sound of examples can be played (off by
            default): as in ``regard.reports.render_report``.

    Returns:
        The path of the page; a notebook shows the page itself.

    Raises:
        ValueError: nothing to show, tokens that do not fit, or sound to be embedded
            where words are to be blacked out.
        TypeError: a parameter that there is not.
    """
    check_names(report, page, render_report)
    check_language(page.get("language", "en"))
    if redact is not None and page.get("embed_audio"):
        raise ValueError(
            "embed_audio must be False where words are blacked out, which cannot be "
            "done to sound. Got True and redact."
        )
    texts = Texts.of(query_tokens, key_tokens)
    maps = _captured(what, inputs)
    examples = _examples(what, maps, texts)
    if classes is not None:
        examples = classified(what, inputs, examples, classes)
    if other is not None:
        others = _examples(other, _captured(other, inputs), texts)
        examples = _paired(examples, others)
    page["facts"] = _facts(what, maps, examples, page)
    if redact is not None:
        redaction = Redaction(redact)
        examples = [redaction.example(each) for each in examples]
        page = redaction.page(page)
    return NotebookPath(write_report(examples, path, **page))


def _captured(what: Any, inputs: tuple[Any, ...]) -> Mapping[str, Any] | None:
    """The maps that were given, or those of a call of the model."""
    if isinstance(what, Mapping):
        return what
    if isinstance(what, Example) or not callable(_model(what)):
        return None
    if not inputs:
        raise ValueError(
            "inputs must follow the model: what it is called with. Got none."
        )
    return attend_to(_model(what), *inputs)


def _model(what: Any) -> Any:
    return what.model if isinstance(what, Classifier) else what


def _facts(
    what: Any,
    maps: Mapping[str, Any] | None,
    examples: list[Example],
    page: Mapping[str, Any],
) -> dict[str, Any]:
    """What stands in the header: what was captured, then what was given."""
    given = dict(page.get("facts") or {})
    if in_languages(given):
        return {
            each: facts_of(what, maps, examples, each) | dict(told)
            for each, told in given.items()
        }
    return facts_of(what, maps, examples, page.get("language", "en")) | given


def _examples(what: Any, maps: Mapping[str, Any] | None, texts: Texts) -> list[Example]:
    if maps is not None:
        layers = {} if maps is what else attention_layers(_model(what))
        return examples_of_maps(maps, texts, layers)
    if isinstance(what, Example):
        return [what]
    if hasattr(what, "snapshots") and hasattr(what, "lines"):
        return examples_of_probe(what, texts)
    found = list(what) if isinstance(what, Iterable) else [what]
    strange = [each for each in found if not isinstance(each, Example)]
    if strange:
        raise ValueError(
            "what must be a model, captured maps, a probe or examples. "
            f"Got {type(strange[0]).__name__}."
        )
    return found


def _paired(first: list[Example], second: list[Example]) -> list[Example]:
    if len(first) != len(second):
        raise ValueError(
            f"other must have the {len(first)} examples of the first. "
            f"Got {len(second)}."
        )
    return [
        replace(one, other=two.records())
        for one, two in zip(first, second, strict=True)
    ]
