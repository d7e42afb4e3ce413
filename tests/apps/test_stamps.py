"""Stamps notice what changed, what is missing and what was never finished."""

import json

import pytest

from regard.apps.stamps import Stamp

SETTINGS = {"recipe": {"epochs": 4, "sizes": (1, 2)}, "version": "1"}


def stamp_of(folder, made_from=None):
    return Stamp(folder / "stamp.json", [folder / "a.txt"], made_from or SETTINGS)


@pytest.fixture
def folder(tmp_path):
    with stamp_of(tmp_path).making() as facts:
        (tmp_path / "a.txt").write_text("made")
        facts["seconds"] = 3
    return tmp_path


def test_a_good_product_is_reused(folder):
    assert stamp_of(folder).reason() == ""
    assert stamp_of(folder).facts == {"seconds": 3}
    assert not stamp_of(folder).stopped


def test_what_was_never_made(tmp_path):
    assert stamp_of(tmp_path).reason() == "not made yet"
    assert stamp_of(tmp_path).facts == {}


@pytest.mark.parametrize(
    ("made_from", "reason"),
    [
        (
            {"recipe": {"epochs": 9, "sizes": (1, 2)}, "version": "1"},
            "recipe.epochs was 4 and is 9",
        ),
        ({**SETTINGS, "version": "2"}, "version was '1' and is '2'"),
        ({**SETTINGS, "data": "f00"}, "data was None and is 'f00'"),
        ({"version": "1"}, "it was made by another version"),
    ],
)
def test_a_changed_setting_is_named(folder, made_from, reason):
    assert stamp_of(folder, made_from).reason() == reason


def test_a_killed_run_is_noticed(folder):
    """Kill: the block is left without its end, as by SIGKILL."""
    stamp_of(folder).making().__enter__()
    assert "stopped before it was finished" in stamp_of(folder).reason()
    assert stamp_of(folder).stopped
    assert not stamp_of(folder, {"other": 1}).stopped


def test_a_failed_run_is_noticed(folder):
    with pytest.raises(RuntimeError), stamp_of(folder).making():
        raise RuntimeError
    assert "stopped before it was finished" in stamp_of(folder).reason()


def test_a_touched_file_is_noticed(folder):
    (folder / "a.txt").write_text("edited")
    assert stamp_of(folder).reason() == "a.txt was changed since"
    (folder / "a.txt").unlink()
    assert stamp_of(folder).reason() == "a.txt is missing"


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"finished": True}), "\x00"])
def test_a_damaged_stamp_is_noticed(folder, content):
    (folder / "stamp.json").write_text(content)
    assert stamp_of(folder).reason() == "its stamp is damaged"


def test_the_digest_follows_the_files(folder):
    before = stamp_of(folder).digest
    (folder / "a.txt").write_text("edited")
    assert stamp_of(folder).digest != before
