"""Every mechanism has a card; every card is whole and can be shown."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import regard
from regard.cards import GROUPS, LANGUAGES, card, cards, names
from regard.cards.bibtex import bibtex
from regard.cards.equations import unicode_equation
from regard.core.features import Feature
from regard.core.normalizers import Normalizer
from regard.core.norms import Norm
from regard.core.positions import Position

ABSTRACT = {"Attention", "Norm", "Normalizer", "Position", "Scaling", "Together"}
# Feature maps that the card of linear attention describes.
ABSTRACT |= {"Elu", "Exponential", "Feature", "Identity", "ReLU"}
ABSTRACT |= {"LearnedQueries", "Pairing", "Pooling"}
METHODS = ("Attention.initial_cache",)
SCOPES = ("Causal", "Window", "Prefix", "Padding", "Dilated", "Everywhere")
SCOPES += ("Strided", "Neighbourhood", "Blocks", "Documents")
WORDS = ("title", "sentence", "paragraph", "use", "avoid", "symbols", "time", "memory")
ARXIV = re.compile(r"\d{4}\.\d{4,5}")


def public(module: str, kind: type) -> set[str]:
    """The concrete classes of one kind that a module lists, as paths."""
    space = getattr(regard, module)
    return {
        f"regard.{module}.{name}"
        for name in set(space.__all__) - ABSTRACT
        if inspect.isclass(value := getattr(space, name)) and issubclass(value, kind)
    }


def mechanisms() -> set[str]:
    return (
        public("layers", object)
        | public("normalizers", Normalizer)
        | public("positions", Position)
        | public("features", Feature)
        | public("losses", object)
        | public("norms", Norm)
        | {f"regard.{name}" for name in SCOPES}
        | {f"regard.layers.{name}" for name in METHODS}
    )


def test_every_public_mechanism_has_one_card():
    paths = [each.path for each in cards()]
    assert len(paths) == len(set(paths))
    assert set(paths) == mechanisms()


def test_a_card_is_called_as_its_class_calls_itself():
    for each in cards():
        target = regard
        for part in each.path.split(".")[1:]:
            target = getattr(target, part)
        own = getattr(target, "mechanism", None) or getattr(target, "name", None)
        if isinstance(own, str) and own:
            assert each.name == own


def test_cards_come_by_group_in_the_order_of_reading():
    places = [(list(GROUPS).index(each.group), each.order) for each in cards()]
    assert places == sorted(set(places))
    assert cards("pooling")[0].name == "attention_pooling"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", names())
def test_every_card_says_everything_in_both_languages(name, language):
    text = card(name).text(language)
    assert [word for word in WORDS if not getattr(text, word).strip()] == []
    assert text.sentence.endswith(".")
    assert len(text.paragraph) > len(text.sentence)
    assert text.equals and all(text.equals)
    other = card(name).text("ru" if language == "en" else "en")
    assert text.paragraph != other.paragraph
    assert len(text.equals) == len(other.equals)


@pytest.mark.parametrize("name", names())
def test_every_equation_can_be_read_in_a_terminal(name):
    shown = unicode_equation(card(name).equation)
    assert shown
    assert not set(shown) & set("\\{}$")
    assert shown.count("(") == shown.count(")")
    assert shown.count("[") == shown.count("]")


def test_equations_become_letters():
    assert unicode_equation(r"\frac{q_i^\top k_j}{\sqrt{D}}") == "qᵢᵀ kⱼ / √D"
    assert unicode_equation(r"\frac{e^{s_j}}{1 + e^x}") == "exp(sⱼ) / (1 + exp(x))"
    with pytest.raises(ValueError, match="latex must use the commands"):
        unicode_equation(r"\unknown x")


@pytest.mark.parametrize("name", names())
def test_every_card_names_where_it_comes_from(name):
    found = card(name)
    for paper in found.papers:
        assert paper.authors and paper.title
        assert 1900 < paper.year < 2100
        assert paper.venue or paper.arxiv or paper.doi or paper.url
        assert not paper.arxiv or ARXIV.fullmatch(paper.arxiv)
    for language in LANGUAGES:
        assert bool(found.papers) != bool(found.text(language).origin)


def test_one_paper_is_described_in_one_way():
    """The section may differ from card to card, nothing else."""
    seen: dict[str, tuple] = {}
    for paper in (paper for each in cards() for paper in each.papers):
        facts = (paper.authors, paper.title, paper.year, paper.venue, paper.arxiv)
        assert seen.setdefault(paper.key, facts) == facts


@pytest.mark.parametrize("name", [each.name for each in cards() if each.papers])
def test_bibtex_parses(name):
    found = card(name)
    entries = parse_bibtex(bibtex(found))
    assert [key for key, _ in entries] == [paper.key for paper in found.papers]
    for (_, fields), paper in zip(entries, found.papers, strict=True):
        assert {"author", "title", "year"} <= set(fields)
        assert fields["author"].split(" and ") == list(paper.authors)
        assert fields["year"] == str(paper.year)


def test_a_mechanism_without_a_paper_cannot_be_cited():
    with pytest.raises(ValueError, match=r"feature_gate.*Folklore"):
        bibtex(card("feature_gate"))


def test_a_card_is_found_by_its_class():
    assert card("AdditiveAttention") is card("additive")
    assert card("regard.normalizers.Entmax15") is card("entmax15")


def test_unknown_names_get_the_closest():
    with pytest.raises(ValueError, match=r"Got 'addtive'\. Did you mean additive"):
        card("addtive")
    with pytest.raises(ValueError, match=r"Did you mean scores"):
        cards("score")


def test_a_card_cannot_be_changed():
    with pytest.raises(AttributeError):
        card("dot").name = "other"
    with pytest.raises(TypeError):
        card("dot").texts["ru"] = card("dot").text("en")


def test_cards_and_their_verbs_import_nothing_heavy(root):
    source = root / "src" / "regard"
    verbs = ("list", "show", "cite", "_cards", "_language")
    files = [*(source / "cards").glob("*.py")]
    files += [source / "cli" / f"{verb}.py" for verb in verbs]
    light = ("regard.cards", "regard.cli._cards", "regard.cli._language")
    for name in (name for path in files for name in imported(path)):
        assert not name.startswith(("keras", "numpy", "jax", "tensorflow", "torch"))
        assert not name.startswith("regard") or name.startswith(light)


def imported(path: Path) -> list[str]:
    """The modules that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def parse_bibtex(text: str) -> list[tuple[str, dict[str, str]]]:
    """Entries as key and fields; anything that is not BibTeX fails."""
    entries, place = [], 0
    while text[place:].strip():
        head = re.compile(r"\s*@(\w+)\{([\w:-]+),").match(text, place)
        assert head, f"no entry at {text[place : place + 40]!r}"
        fields, place = {}, head.end()
        while not (end := re.compile(r"\s*\}").match(text, place)):
            name = re.compile(r"\s*(\w+)\s*=\s*\{").match(text, place)
            assert name, f"no field at {text[place : place + 40]!r}"
            start = place = name.end()
            depth = 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[place], 0)
                place += 1
            fields[name[1]] = text[start : place - 1]
            assert text[place] == ","
            place += 1
        entries.append((head[2], fields))
        place = end.end()
    return entries
