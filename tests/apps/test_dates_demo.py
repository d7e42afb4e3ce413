"""The demonstration of dates, on a tiny run: it learns, draws, reports and reuses."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from regard.apps.dates import recipe as recipes
from regard.apps.dates.demo import DatesDemo
from regard.apps.dates.recipe import Progress, Recipe, pace, train
from regard.apps.dates.samples import Sample, SampleSettings, draw_samples
from regard.cli import main

TINY = SampleSettings(train=400, dev=20, test=200)
RECIPE = Recipe(width=8, units=8, epochs=2, seconds=600, tokens=4096)


class Demo(DatesDemo):
    """A tiny demonstration that keeps what it says."""

    def __init__(self, folder, recipe=RECIPE):
        self.said = []
        super().__init__(folder, TINY, recipe, self.said.append)

    def states(self):
        """What happened to data, model and report."""
        lines = [line for line in self.said if not line.startswith("  ")]
        return [line.split(": ", 1)[1] for line in lines]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("demo"))
    reader, scores = demo.run()
    return demo, reader, scores


def test_everything_is_made_once(made):
    demo, _, scores = made
    assert demo.states() == ["making (not made yet)"] * 3
    assert scores["held_out"] == 200 and 0 <= scores["exact_match"] <= 1
    page = demo.report.read_text("utf-8")
    assert "held-out dates" in page and "отложенных дат" in page and "<html" in page


def test_a_second_run_reuses_everything(made):
    demo, reader, scores = made
    again = Demo(demo.folder)
    started = demo.report.stat().st_mtime_ns
    reloaded, same = again.run()
    assert again.states() == ["reused"] * 3
    assert demo.report.stat().st_mtime_ns == started and same == scores
    texts = ["5 мая 2026 г.", "May 5, 2026"]
    for before, after in zip(reader.read(texts), reloaded.read(texts), strict=True):
        assert before.iso == after.iso
        np.testing.assert_allclose(before.weights, after.weights, atol=1e-5)


def test_readings_carry_their_alignment(made):
    demo, reader, _ = made
    readings = demo.examples(reader)
    assert len(readings) == 3
    assert any("а" <= letter <= "я" for letter in readings[0].text)
    for reading in readings:
        assert reading.weights.shape == (len(reading.iso), len(reading.text))
        assert (reading.weights >= 0).all()
        assert (reading.weights.sum(axis=1) <= 1 + 1e-5).all()
        assert reading.record().key_tokens == tuple(reading.text)


def test_reading_does_not_depend_on_the_company(made):
    _, reader, _ = made
    alone = reader.read(["5 мая 2026 г."])[0]
    together = reader.read(["x" * 40, "5 мая 2026 г.", "1"])[1]
    assert alone.iso == together.iso
    np.testing.assert_allclose(alone.weights, together.weights, atol=1e-6)


def test_texts_that_cannot_be_dates_are_refused(made):
    _, reader, _ = made
    with pytest.raises(ValueError, match=r"1 to 47 characters\. Got 48"):
        reader.read(["x" * 48])
    with pytest.raises(ValueError, match=r"1 to 47 characters\. Got 0"):
        reader.read([""])


def test_an_interrupted_training_is_made_again(made, monkeypatch):
    demo, reader, _ = made
    content = json.loads((demo.folder / "model.json").read_text())
    content["finished"] = False
    (demo.folder / "model.json").write_text(json.dumps(content))
    monkeypatch.setattr("regard.apps.dates.demo.train", lambda *given: reader)
    again = Demo(demo.folder)
    again.run()
    data, model, report = again.states()
    assert data == "reused"
    assert model == "making (an earlier run was stopped before it was finished)"
    assert report.startswith("making (model was ") or report == "reused"


def test_a_changed_recipe_is_named(made, monkeypatch):
    demo, reader, _ = made
    monkeypatch.setattr("regard.apps.dates.demo.train", lambda *given: reader)
    again = Demo(demo.folder, Recipe(width=8, units=8, epochs=3, tokens=4096))
    again.run()
    assert again.states()[1] == "making (recipe.epochs was 2 and is 3)"


def test_the_verb_draws_examples_and_is_plain_about_the_score(
    made, monkeypatch, capsys, tmp_path
):
    _, reader, _ = made
    monkeypatch.setattr("regard.apps.dates.demo.train", lambda *given: reader)
    words = ["demo", "dates", "--out", str(tmp_path / "out"), "--samples", "50"]
    assert main([*words, "--text", "5 мая 2026 г."]) == 0
    shown = capsys.readouterr().out
    assert shown.count("  ->  ") == 4 and "\n5 мая 2026 г.  ->  " in shown
    assert "of 3,000 dates on days never seen are read exactly" in shown
    assert "That is below 99.5 %: train longer, with more --epochs." in shown
    assert (tmp_path / "out" / "report.html").is_file()
    assert main([*words, "--seconds", "0"]) == 2
    assert "seconds must be positive. Got 0" in capsys.readouterr().err


def test_the_verb_says_when_the_time_was_too_short(made, monkeypatch, capsys, tmp_path):
    _, reader, _ = made
    clock = iter(range(0, 10**6, 50))
    fake = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("regard.apps.dates.demo.time", fake)
    monkeypatch.setattr("regard.apps.dates.demo.train", lambda *given: reader)
    words = ["demo", "dates", "--out", str(tmp_path / "out"), "--samples", "50"]
    assert main([*words, "--seconds", "30"]) == 0
    shown = capsys.readouterr().out
    assert "the 30 s allowed were over before the 4 epochs" in shown
    assert "with more --seconds." in shown and "more --epochs" not in shown


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ValueError, match="a folder is needed here"):
        Demo(tmp_path / "out").run()


def test_training_ends_in_time_and_tells_its_share(monkeypatch):
    """With a clock and a learner of ours: every batch takes a second."""
    clock = iter(range(10**6))
    fake = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr(recipes, "time", fake)
    monkeypatch.setattr(recipes, "_learn", lambda model, batch: 1.0)
    monkeypatch.setattr(recipes, "_exact", lambda reader, samples: 0.5)
    told: list[Progress] = []
    recipe = Recipe(width=4, units=4, epochs=1000, seconds=40, tokens=4096)
    train(draw_samples(TINY), recipe, told.append)
    shares = [progress.share for progress in told if progress.exact is None]
    assert shares == [second / 40 for second in range(1, 40)]
    assert next(clock) <= 42
    told.clear()
    train(draw_samples(TINY), Recipe(width=4, units=4, epochs=2), told.append)
    assert told[-1].share == 1.0 and told[-1].exact == 0.5 and told[-1].epoch == 1


def test_training_lowers_the_loss():
    samples = {
        "train": [Sample(f"{n:02d}", f"{n:02d}", "", "") for n in range(60)] * 4,
        "dev": [Sample("07", "07", "", "")],
    }
    told: list[Progress] = []
    recipe = Recipe(
        width=16, units=16, epochs=40, seconds=600, learning_rate=2e-2, tokens=256
    )
    reader = train(samples, recipe, told.append)
    assert told[-1].loss < 0.5 * told[0].loss
    assert reader.exact_match(["12", "34"], ["12", "34"]) == 1.0


def test_the_pace_rises_and_falls():
    rates = [pace(share / 100) for share in range(101)]
    top = rates.index(max(rates))
    assert 3 <= top <= 7 and max(rates) == pytest.approx(1, abs=0.02)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[0] < 0.15 and rates[-1] == pytest.approx(0.02)


def test_settings_must_be_positive():
    with pytest.raises(ValueError, match=r"units must be positive. Got 0"):
        Recipe(units=0)


@pytest.mark.slow
def test_nearly_all_held_out_dates_are_read_exactly(tmp_path):
    """The demonstration as it is shipped, given the time a busy machine needs."""
    demo = DatesDemo(tmp_path, recipe=Recipe(seconds=600), say=lambda line: None)
    _, scores = demo.run()
    assert scores["exact_match"] >= 0.995
