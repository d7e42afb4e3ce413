"""Training a translator: it learns, stops, goes on, and complains where it must."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest

from regard.apps.translate import checkpoints, training_loop
from regard.apps.translate.config import TranslateConfig
from regard.apps.translate.pairs import Pair, PairSet
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.schedule import Budget, learning_rate
from regard.apps.translate.training import NotANumber, train
from regard.apps.translate.translator import Translator

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}


def counting_pairs(count, seed=0):
    """Sentences of numbers whose translation is word for word."""
    random = np.random.default_rng(seed)
    pairs = PairSet("counting")
    for _ in range(count):
        words = random.choice(list(WORDS), size=random.integers(1, 5))
        translation = " ".join(WORDS[word] for word in words)
        pairs.pairs.append(Pair(" ".join(words), (translation,)))
    return pairs


def small_config(**changes):
    values = {
        "data": {"source_vocabulary": 40, "target_vocabulary": 40, "buckets": 1},
        "model": {"embedding": 16, "units": 24, "dropout": 0.0},
        "training": {"epochs": 2, "learning_rate": 1e-2, "average": 0.9, "seed": 3},
    }
    values["data"]["tokens_per_batch"] = 128
    for section, change in changes.items():
        values[section] = {**values[section], **change}
    return TranslateConfig.of(values)


def quiet(line):
    """Say nothing."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has learnt to count."""
    folder = RunFolder.create(
        tmp_path_factory.mktemp("run") / "counting",
        small_config(training={"epochs": 16, "validate_every": 1e9}),
    )
    train(folder, counting_pairs(400), counting_pairs(40, seed=1), say=quiet)
    return folder


def test_learns_and_translates(trained):
    translator = Translator.load(trained)
    for beam in (1, 3):
        found = translator.translate(["one two three", "five", "four four"], beam=beam)
        assert [each.text for each in found] == ["eins zwei drei", "fünf", "vier vier"]
    weights = found[0].weights
    assert weights.shape == (len(found[0].pieces), len(found[0].source_pieces))
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-5)


def test_metrics_have_a_line_for_each_step(trained):
    lines = trained.read_metrics()
    steps = [line["step"] for line in lines if "loss" in line]
    assert steps == list(range(1, len(steps) + 1))
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < 0.5 * losses[0]
    assert lines[-1]["dev_accuracy"] > 0.95
    seconds = [line["seconds"] for line in lines if "seconds" in line]
    assert seconds == sorted(seconds)


def test_a_finished_run_has_nothing_to_resume(trained):
    before = trained.read_metrics()
    train(trained, counting_pairs(400), say=quiet, resume=True)
    assert [line for line in before if "loss" in line] == [
        line for line in trained.read_metrics() if "loss" in line
    ]


def test_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    """Same order of batches, same optimizer: the same losses, step by step."""
    pairs = counting_pairs(120)
    whole = RunFolder.create(tmp_path / "whole", small_config())
    train(whole, pairs, say=quiet)

    broken = RunFolder.create(tmp_path / "broken", small_config())
    learn = training_loop.TrainingLoop._learn

    def learn_then_die(run, epoch, batch):
        learn(run, epoch, batch)
        if run.step == 5:
            checkpoints.save_last(run.folder, run.model)
        if run.step == 7:
            raise MemoryError("as if killed")

    with monkeypatch.context() as patch:
        patch.setattr(training_loop.TrainingLoop, "_learn", learn_then_die)
        with pytest.raises(MemoryError):
            train(broken, pairs, say=quiet)
    said = []
    assert train(broken, pairs, say=said.append, resume=True)
    assert said[0] == "resuming after step 5"
    expected, found = (
        {line["step"]: line["loss"] for line in run.read_metrics() if "loss" in line}
        for run in (whole, broken)
    )
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-3)


def test_resumes_from_the_start_where_no_checkpoint_was_written(tmp_path):
    folder = RunFolder.create(tmp_path / "run", small_config(training={"epochs": 1}))
    said = []
    train(folder, counting_pairs(60), say=said.append, resume=True)
    assert "nothing saved yet to resume" in said[0]
    assert folder.best.is_file() and folder.last.is_file()


def test_what_killed_saves_left_is_swept_away(tmp_path):
    folder = RunFolder.create(tmp_path / "run", small_config())
    for name in (".last-x1.keras", ".metrics-x2.jsonl", ".config-x3.json", ".mine"):
        (folder.path / name).touch()
    assert checkpoints.load_last(folder) is None
    left = {each.name for each in folder.path.iterdir()}
    assert left == {"config.json", "metrics.jsonl", ".mine"}


@pytest.mark.parametrize("torn", ["cut", "inside"])
def test_a_damaged_checkpoint_is_named(tmp_path, torn):
    folder = RunFolder.create(tmp_path / "run", small_config())
    with zipfile.ZipFile(folder.last, "w") as archive:
        archive.writestr("model.weights.h5", b"numbers")
    content = folder.last.read_bytes()
    content = content[:-9] if torn == "cut" else content.replace(b"number", b"zeroes")
    folder.last.write_bytes(content)
    with pytest.raises(ValueError, match=r"last\.keras: the checkpoint is damaged"):
        train(folder, counting_pairs(60), say=quiet, resume=True)
    shutil.copy(folder.last, folder.best)
    with pytest.raises(ValueError, match=r"best\.keras: the checkpoint is damaged"):
        Translator.load(folder)


def test_a_loss_that_is_not_a_number_says_where_and_what_to_try(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path / "run", small_config())
    monkeypatch.setattr(
        keras.Model, "train_on_batch", lambda self, *inputs: float("nan")
    )
    with pytest.raises(NotANumber, match=r"nan at step 1 \(epoch 1.*learning_rate"):
        train(folder, counting_pairs(60), say=quiet)
    assert not folder.last.exists()


def test_interrupt_saves_and_leaves(tmp_path, monkeypatch, capfd):
    folder = RunFolder.create(tmp_path / "run", small_config(training={"epochs": 50}))
    learn = training_loop.TrainingLoop._learn

    def learn_and_interrupt(run, epoch, batch):
        learn(run, epoch, batch)
        if run.step == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(training_loop.TrainingLoop, "_learn", learn_and_interrupt)
    said = []
    assert not train(folder, counting_pairs(120), say=said.append)
    assert "--resume" in said[-1]
    assert "stopping after this batch, then saving" in capfd.readouterr().err
    assert int(keras.models.load_model(folder.last).optimizer.iterations) == 3


@pytest.mark.slow
def test_killed_run_goes_on(tmp_path):
    """SIGKILL, whenever it comes, leaves a checkpoint that loads."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from tests.apps.test_translate_training import *\n"
        "settings = {'epochs': 500, 'checkpoint_every': 0.2}\n"
        "folder = RunFolder.create(sys.argv[1], small_config(training=settings))\n"
        "train(folder, counting_pairs(200), say=quiet)\n"
    )
    path = tmp_path / "run"
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path), os.getcwd()],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not (path / "last.keras").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.0)
    child.kill()
    child.wait()
    folder = RunFolder.open(path)
    model, facts = checkpoints.load_last(folder)
    assert facts["step"] == int(model.optimizer.iterations) > 0
    for line in folder.metrics.read_text("utf-8").splitlines():
        assert json.loads(line)["step"] <= facts["step"]


def test_rate_follows_the_budget():
    settings = small_config(training={"warmup": 0.1, "final_rate": 0.01}).training
    rates = [learning_rate(settings, share) for share in (0.0, 0.05, 0.1, 0.55, 1.0)]
    np.testing.assert_allclose(rates, [1e-4, 5e-3, 1e-2, 5e-3, 1e-4])


def test_budgets():
    assert Budget(minutes=2, batches=None).share(seconds=60, step=0) == 0.5
    assert Budget(minutes=None, batches=40).share(seconds=60, step=10) == 0.25
    with pytest.raises(ValueError, match="either minutes or epochs"):
        Budget(minutes=None, batches=None)
