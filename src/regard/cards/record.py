"""What a card holds, and how it is read from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from regard.cards.typography import typeset

LANGUAGES = ("en", "ru")
# The groups in the order in which they are listed, with their titles.
GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "scores": {"en": "Scores", "ru": "Оценки"},
        "normalizers": {"en": "Normalizers", "ru": "Нормировщики"},
        "scopes": {"en": "Scopes", "ru": "Области видимости"},
        "positions": {"en": "Positions", "ru": "Позиции"},
        "heads": {"en": "Heads", "ru": "Головы"},
        "pooling": {"en": "Pooling", "ru": "Объединение"},
        "recurrent": {"en": "Decoders and alignments", "ru": "Декодеры и выравнивания"},
        "copying": {"en": "Pointing and copying", "ru": "Указатели и копирование"},
        "memory": {"en": "Memory", "ru": "Память"},
        "gates": {"en": "Gates", "ru": "Вентили"},
        "linear": {"en": "Linear and recurrent", "ru": "Линейные и рекуррентные"},
        "approximate": {"en": "Approximations", "ru": "Приближения"},
        "images": {"en": "Images and grids", "ru": "Изображения и решётки"},
        "graphs": {"en": "Graphs", "ru": "Графы"},
        "series": {"en": "Time series", "ru": "Временные ряды"},
        "pairs": {"en": "Two inputs", "ru": "Два входа"},
        "losses": {"en": "Losses", "ru": "Функции потерь"},
    }
)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A card's words in one language.

    ``symbols`` gives the shapes of what the equation names. Cost leaves the batch out:
    ``T`` queries, ``S`` keys, ``D`` width, ``H`` heads.
    """

    title: str
    sentence: str
    paragraph: str
    use: str
    avoid: str
    symbols: str
    time: str
    memory: str
    equals: tuple[str, ...] = ()
    origin: str = ""  # where the mechanism comes from when no paper introduced it


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where a mechanism was published; ``authors`` as "Family, Given"."""

    key: str
    authors: tuple[str, ...]
    title: str
    year: int
    venue: str = ""
    journal: str = ""
    arxiv: str = ""
    doi: str = ""
    url: str = ""
    section: str = ""

    @property
    def address(self) -> str:
        """The page of the paper."""
        if self.arxiv:
            return f"https://arxiv.org/abs/{self.arxiv}"
        return f"https://doi.org/{self.doi}" if self.doi else self.url


@dataclass(frozen=True, kw_only=True)
class StepEntry:
    """One step of how a number of a mechanism comes about.

    - ``name``: what later steps call its value.
    - ``by``: the expression that computes it (``regard.seeing.steps``).
    - ``gives``: the array of a trace that it must equal, or nothing.
    - ``holds``: an expression that must be true instead.
    - ``when``: an expression; the step is left out where it is false.
    - ``each``: "key" where its values stand one for each key.
    - ``formula``: in LaTeX; ``words``: title and sentence by language.
    - ``use``: instead of all these, the steps of a part or a shared group; ``only``:
      those of them with these names; ``when`` and ``each`` then are those of them all;
      ``reads``: expressions for names that mean something else there, such as the
      inputs ``x.query`` of a layer within; ``below``: the path of the weights that
      they read.
    """

    name: str = ""
    by: str = ""
    gives: str = ""
    holds: str = ""
    when: str = ""
    each: str = ""
    formula: str = ""
    use: str = ""
    below: str = ""
    only: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> StepEntry:
        """The step from its entry in a file."""
        words = {
            each: tuple(typeset(line, each) for line in data[each])
            for each in LANGUAGES
            if each in data
        }
        rest = {name: data[name] for name in data if name not in LANGUAGES}
        rest["only"] = tuple(rest.get("only", ()))
        return cls(**rest, words=MappingProxyType(words))

    def also_when(self, condition: str) -> StepEntry:
        """The same step with one more condition, if there is one."""
        if not condition:
            return self
        both = f"({self.when}) and ({condition})" if self.when else condition
        return replace(self, when=both)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One mechanism: equation, words in both languages, papers.

    ``path`` is the public class, ``hyperparameters`` are those of the original.
    """

    name: str
    group: str
    order: int
    path: str
    equation: str
    texts: Mapping[str, Text]
    papers: tuple[Paper, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[StepEntry, ...] = ()

    @classmethod
    def read(cls, name: str, data: Mapping[str, Any]) -> Card:
        """The card from the content of its file."""
        papers = [data["paper"]] if "paper" in data else []
        return cls(
            name=name,
            group=data["group"],
            order=data["order"],
            path=data["class"],
            equation=data["equation"].strip(),
            texts=MappingProxyType({each: _text(data, each) for each in LANGUAGES}),
            papers=tuple(map(_paper, papers + data.get("further", []))),
            hyperparameters=MappingProxyType(dict(data.get("hyperparameters", {}))),
            steps=tuple(map(StepEntry.read, data.get("steps", []))),
        )

    def text(self, language: str = "en") -> Text:
        """The words in a language of ``LANGUAGES``."""
        return self.texts[language]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A word of the project, its symbol and its name in code.

    ``never`` are regular expressions of Russian words that would be a second name.
    """

    en: str
    ru: str
    symbol: str = ""
    code: str = ""
    never: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Term:
        """The term from its entry in the glossary."""
        return cls(**{**data, "never": tuple(data.get("never", ()))})


def _text(data: Mapping[str, Any], language: str) -> Text:
    def words(entry: Any) -> str:
        """An entry that is the same in every language, or has each apart."""
        chosen = entry[language] if isinstance(entry, Mapping) else entry
        return typeset(chosen, language)

    return Text(
        **{name: words(entry) for name, entry in data[language].items()},
        symbols=words(data["symbols"]),
        time=words(data["cost"]["time"]),
        memory=words(data["cost"]["memory"]),
        equals=tuple(map(words, data.get("equals", []))),
    )


def _paper(data: Mapping[str, Any]) -> Paper:
    return Paper(**{**data, "authors": tuple(data["authors"])})
