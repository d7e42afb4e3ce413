"""What stands in the header of a page: what was captured, how, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from regard._version import __version__
from regard.reports.example import Example
from regard.reports.phrases import LANGUAGES, phrases
from regard.reports.tokens import shorten
from regard.seeing.unconfirmed import listed, unconfirmed_rows
from regard.trace import Trace

__all__ = ["facts_of", "in_languages"]

_LONGEST_LIST = 300  # characters of the list of layers


def in_languages(facts: Mapping[str, Any]) -> bool:
    """Whether facts were given anew for each language that a page speaks."""
    return set(facts) == set(LANGUAGES) and all(
        isinstance(each, Mapping) for each in facts.values()
    )


def facts_of(
    what: Any,
    maps: Mapping[str, Sequence[Trace]] | None,
    examples: list[Example],
    language: str,
) -> dict[str, str]:
    """Name -> value, of the maps that ``what`` is or gave; examples say it all."""
    if any(what is each for each in examples) or isinstance(what, list | tuple):
        return {}
    words = phrases(language, "facts")
    names = dict.fromkeys(each.layer for one in examples for each in one.records())
    date = datetime.now().astimezone().strftime("%Y-%m-%d")
    written = words["fact_by"].format(date=date, version=__version__)
    name = getattr(getattr(what, "model", what), "name", None)
    facts = {words["fact_model"]: name} if isinstance(name, str) else {}
    calls = [each for calls in (maps or {}).values() for each in calls]
    return facts | {
        words["fact_layers"]: shorten(", ".join(names), _LONGEST_LIST),
        words["fact_examples"]: str(len(examples)),
        **(_of_calls(calls, language) if calls else {}),
        **_not_confirmed(maps or {}, words),
        words["fact_written"]: written,
    }


def _of_calls(calls: list[Trace], language: str) -> dict[str, str]:
    """In which mode the calls were made and what hid their pairs."""
    words = phrases(language, "facts", "report")
    modes = sorted({each.training for each in calls})
    facts = {
        words["fact_mode"]: "; ".join(
            words["mode_training" if training else "mode_inference"]
            for training in modes
        )
    }
    causes = dict.fromkeys(cause for each in calls for cause in each.masks)
    if causes:
        named = (words.get(f"cause_{cause}", cause) for cause in causes)
        facts[words["fact_masks"]] = ", ".join(named)
    return facts


def _not_confirmed(
    maps: Mapping[str, Sequence[Trace]], words: Mapping[str, str]
) -> dict[str, str]:
    """Rows whose weights the answer of their layer does not confirm, from 1."""
    said = [
        words["fact_rows"].format(
            layer=name, n=example + 1, rows=listed([row + 1 for row in rows])
        )
        for name, calls in maps.items()
        for call in calls
        for example, rows in unconfirmed_rows(call).items()
    ]
    text = shorten("; ".join(said), _LONGEST_LIST)
    return {words["fact_unconfirmed"]: text} if said else {}
