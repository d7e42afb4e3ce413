"""Catalogues in wheels: which are read, how messages are cleaned, how they split."""

import io
import zipfile

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from regard.apps.translate import catalogue_sources as sources
from regard.apps.translate.catalogue_sources import Language, licence_of, packages_for
from regard.apps.translate.catalogue_splits import (
    fold,
    group_near_copies,
    save_split,
    split_messages,
)
from regard.apps.translate.catalogues import Message, clean_message, read_catalogues
from regard.apps.translate.pairs import read_pairs


def catalogue(locale, messages) -> bytes:
    made = Catalog(locale=locale)
    for entry in messages:
        id, string, *context = entry
        made.add(id, string, context=context[0] if context else None)
    buffer = io.BytesIO()
    write_mo(buffer, made)
    return buffer.getvalue()


def make_wheel(folder, name, catalogues, licence="License-Expression: BSD-3-Clause"):
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\n{licence}\n")
        archive.writestr(f"{name}/__init__.py", "")
        for place, content in catalogues.items():
            archive.writestr(f"{name}/locale/{place}", content)
    return path


@pytest.fixture
def wheel(tmp_path):
    russian = catalogue(
        "ru",
        [
            ("Save the page", "Сохранить страницу"),
            ("May", "Май", "month name"),
            (("%(n)s file", "%(n)s files"), ("%(n)s файл", "%(n)s файла", "файлов")),
            ("<b>Stop</b> now", "<b>Стой</b> сейчас"),
            ("Django", "Django"),
            ("Hello %(name)s", "Привет"),
        ],
    )
    regional = catalogue("ru_RU", [("Open", "Открыть"), ("May", "Май")])
    return make_wheel(
        tmp_path,
        "fixture",
        {
            "ru/LC_MESSAGES/django.mo": russian,
            "ru_RU/LC_MESSAGES/django.mo": regional,
            "fr/LC_MESSAGES/django.mo": catalogue("fr", [("Open", "Ouvrir")]),
            "ru/LC_MESSAGES/notes.txt": "no catalogue",
        },
    )


def test_messages_of_one_language(wheel):
    harvest = read_catalogues([wheel], Language.of("ru"))
    assert {(m.source, m.target) for m in harvest.messages} == {
        ("Save the page", "Сохранить страницу"),
        ("May", "Май"),
        ("{1} file", "{1} файл"),
        ("Stop now", "Стой сейчас"),
        ("Open", "Открыть"),
    }
    assert {m.package for m in harvest.messages} == {"fixture"}
    assert harvest.left_out["untranslated"] == 1
    assert harvest.left_out["with differing placeholders"] == 1
    assert harvest.left_out["repeated"] == 1
    assert harvest.report().startswith("5 pairs from 1 packages")
    french = read_catalogues([wheel], Language.of("fr"))
    assert [m[:2] for m in french.messages] == [("Open", "Ouvrir")]


def test_a_language_without_messages(wheel):
    with pytest.raises(ValueError, match=r"no messages in German \(de\) found in 1"):
        read_catalogues([wheel], Language.of("de"))


@pytest.mark.parametrize(
    ("metadata", "licence", "read"),
    [
        ("License-Expression: BSD-2-Clause", "BSD-2-Clause", True),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD License", True),
        ("License-Expression: GPL-3.0-only", "GPL-3.0-only", False),
        ("License: see the file", "", False),
    ],
)
def test_only_bsd_licences(tmp_path, metadata, licence, read):
    content = catalogue("ru", [("Open", "Открыть")])
    place = "ru/LC_MESSAGES/a.mo"
    path = make_wheel(tmp_path, "licensed", {place: content}, metadata)
    assert licence_of(path) == licence
    if read:
        assert read_catalogues([path], Language.of("ru")).messages
    else:
        with pytest.raises(ValueError, match="no messages"):
            read_catalogues([path], Language.of("ru"))


def test_a_file_that_is_no_wheel(tmp_path):
    path = tmp_path / "broken-1.0-py3-none-any.whl"
    path.write_bytes(b"half a download")
    with pytest.raises(ValueError, match=r"not a wheel\. Delete it"):
        read_catalogues([path], Language.of("ru"))


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("Add %s to %(x)d", "В %(x)d ещё %s", ("Add {1} to {2}", "В {2} ещё {1}")),
        ("Close %1", "Закрыть %1", ("Close {1}", "Закрыть {1}")),
        ("{count} items", "{count} шт.", ("{1} items", "{1} шт.")),
        ("See :ref:`x` now", "Смотри :ref:`x`", ("See {1} now", "Смотри {1}")),
        ("100% sure", "Уверен на 100%", ("100% sure", "Уверен на 100%")),
        ("a\nb", "а б", "of several lines"),
        ("<a href='x'>go</a>", "иди", "with differing mark-up"),
        ("%d", "%d", "untranslated"),
        ("%d!", "(%d)", "without letters"),
        ("Yes", "Yes!", "untranslated"),
        ("word " * 30, "слово " * 30, "longer than 25 words"),
        ("Go", "Перейти к следующему шагу", "of very unequal lengths"),
        (" ", "пусто", "empty"),
    ],
)
def test_cleaning(source, target, expected):
    assert clean_message(source, target, "Cyrl") == expected


def test_languages_are_looked_up():
    russian = Language.of("ru")
    assert (russian.territory, russian.script, russian.name) == (
        "RU",
        "Cyrl",
        "Russian",
    )
    assert russian.folders >= {"ru", "ru_RU"}
    brazilian = Language.of("pt-br")
    assert "pt_BR" in brazilian.folders and "pt" not in brazilian.folders
    assert packages_for(brazilian)[0] == "jupyterlab-language-pack-pt-BR"
    for wrong, message in (("klingon!", "must be a code"), ("en_GB", "not be English")):
        with pytest.raises(ValueError, match=message):
            Language.of(wrong)


def test_folding_joins_near_copies():
    assert fold("Delete 3 products.") == fold("delete {1} product")
    assert fold("Update category 'a'") == fold("Update category “{1}”")
    assert fold("Save") != fold("Open")


def test_groups_chain_over_both_sides():
    messages = [
        Message("Find", "Найти", "a"),
        Message("Search", "Найти", "a"),
        Message("Search…", "Поиск", "a"),
        Message("Open", "Открыть", "a"),
    ]
    groups = group_near_copies(messages)
    assert sorted(map(len, groups)) == [1, 3]


def test_splits_share_no_near_copy_and_lose_nothing():
    words = ["alpha", "bravo", "carol", "delta", "eager", "fresh", "grand", "hotel"]
    messages = [
        Message(f"{a} {b} {n}", f"{b} und {a} {n}", "p")
        for a in words
        for b in words
        for n in (1, 2)
    ]
    splits = split_messages(messages, dev=12, test=20, seed=3)
    assert sorted(m for split in splits.values() for m in split) == sorted(messages)
    assert 0 < len(splits["dev"]) <= 12 and 0 < len(splits["test"]) <= 20
    folded = [{fold(m.source) for m in split} for split in splits.values()]
    assert not (folded[0] & folded[1] or folded[0] & folded[2] or folded[1] & folded[2])
    assert splits == split_messages(messages, dev=12, test=20, seed=3)
    with pytest.raises(ValueError, match="at most a third of the 128 messages"):
        split_messages(messages, dev=40, test=20)


def test_a_saved_split_is_read_as_pairs(tmp_path):
    save_split(tmp_path / "test.tsv", [Message("Open", "Открыть", "django")])
    (pair,) = read_pairs(tmp_path / "test.tsv").pairs
    assert (pair.source, pair.references) == ("Open", ("Открыть",))


def test_downloading_keeps_what_is_there_and_tells_what_fails(tmp_path, monkeypatch):
    make_wheel(tmp_path, "Django", {})
    asked, said = [], []

    def pip(package, folder):
        asked.append(package)
        if package == "WTForms":
            make_wheel(folder, "wtforms", {})
            return ""
        return "No matching distribution"

    monkeypatch.setattr(sources, "_pip_download", pip)
    wheels = sources.download_wheels(
        ["Django", "WTForms", "nothing"], tmp_path, said.append
    )
    assert asked == ["WTForms", "nothing"]
    assert [w.name.split("-")[0] for w in wheels] == ["Django", "wtforms"]
    assert said[-1] == "left out nothing: No matching distribution"
    with pytest.raises(ValueError, match="no package could be downloaded"):
        sources.download_wheels(["nothing"], tmp_path / "empty", said.append)
