"""Dates: every text has one reading, and no day is in two splits."""

from datetime import date

import numpy as np
import pytest

from regard.apps.dates.characters import Characters
from regard.apps.dates.formats import (
    FORMATS,
    LOCALES,
    WAYS,
    Way,
    ambiguous_ways,
    write_date,
)
from regard.apps.dates.samples import (
    SampleSettings,
    draw_samples,
    load_samples,
    save_samples,
)

SMALL = SampleSettings(train=600, dev=150, test=200, seed=4)


@pytest.fixture(scope="module")
def samples():
    return draw_samples(SMALL)


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (Way("ru_RU", "long"), "7 августа 2026 г."),
        (Way("en_US", "full"), "Friday, August 7, 2026"),
        (Way("fr_FR", "d MMM yyyy"), "7 août 2026"),
        (Way("de_DE", "dd.MM.yyyy"), "07.08.2026"),
        (Way("pt_BR", "d MMMM, yyyy"), "7 agosto, 2026"),
    ],
)
def test_dates_are_written_as_people_do(way, text):
    assert way in WAYS
    assert write_date(date(2026, 8, 7), way) == text


def test_ten_locales_and_a_dozen_formats():
    assert len(LOCALES) >= 10 and {"ru_RU", "en_US"} <= set(LOCALES)
    assert len(FORMATS) >= 12
    assert {way.locale for way in WAYS} == set(LOCALES)
    assert {way.format for way in WAYS} == set(FORMATS)


def test_two_readings_are_noticed():
    """The American slashes against the European ones: 132 of 366 days are unclear."""
    american, european = Way("en_US", "MM/dd/yyyy"), Way("en_GB", "dd/MM/yyyy")
    unclear = ambiguous_ways((american, european))
    assert (american, 3, 4) in unclear and (european, 4, 3) in unclear
    assert (american, 3, 14) not in unclear
    assert (american, 5, 5) not in unclear
    assert len(unclear) == 2 * (12 * 12 - 12)


def test_no_text_has_two_readings(samples):
    readings: dict[str, set[str]] = {}
    for sample in (s for split in samples.values() for s in split):
        readings.setdefault(sample.text.casefold(), set()).add(sample.iso)
    assert all(len(found) == 1 for found in readings.values())


def test_days_are_disjoint_between_splits(samples):
    days = [{sample.iso for sample in split} for split in samples.values()]
    assert not (days[0] & days[1] or days[0] & days[2] or days[1] & days[2])
    assert [len(samples[s]) for s in ("train", "dev", "test")] == [600, 150, 200]


def test_samples_mean_what_they_say(samples):
    for sample in samples["test"]:
        day = date.fromisoformat(sample.iso)
        written = write_date(day, Way(sample.locale, sample.format))
        assert sample.text in (written, written.lower())


def test_drawing_depends_on_the_settings_alone(samples):
    assert draw_samples(SMALL) == samples
    other = SampleSettings(train=600, dev=150, test=200, seed=5)
    assert draw_samples(other) != samples
    with pytest.raises(ValueError, match=r"train must be positive\. Got 0"):
        SampleSettings(train=0)


def test_saved_samples_come_back(samples, tmp_path):
    path = tmp_path / "dev.tsv"
    save_samples(path, samples["dev"])
    assert load_samples(path) == samples["dev"]
    path.write_text("1 May 2020\t2020-05-01\n")
    with pytest.raises(ValueError, match=r"dev\.tsv:1: a sample must have 4 columns"):
        load_samples(path)


def test_characters_round_trip():
    characters = Characters.of(["3 мая", "may"])
    assert characters.size == 4 + len(set("3 маяmay"))
    (ids,) = characters.encode(["мая ?"])
    assert ids[-1] == 3 and characters.decode(ids) == "мая "
    padded = characters.pad(["may", "м"], 6)
    assert padded.shape == (2, 6) and padded.dtype == np.int32
    assert padded[1].tolist() == [*characters.encode(["м"])[0], 2, 0, 0, 0, 0]
    assert [characters.decode(row) for row in padded] == ["may", "м"]
    assert Characters(characters.characters).encode(["may"]) == characters.encode(
        ["may"]
    )
    with pytest.raises(
        ValueError, match=r"shorter than 3 characters here\. Got 3: 'may'"
    ):
        characters.pad(["may"], 3)
