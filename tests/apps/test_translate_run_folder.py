"""Run folders and settings: atomic files, clear refusals, nothing forgotten."""

import json
import os

import pytest

from regard.apps.translate.config import TranslateConfig
from regard.apps.translate.run_folder import RunFolder
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.files import atomic_path, write_atomically


@pytest.fixture
def run(tmp_path) -> RunFolder:
    config = TranslateConfig.load(None, model={"attention": "dot", "units": 12})
    return RunFolder.create(tmp_path / "run", config, pairs="train.tsv")


def test_a_run_opens_with_its_settings(run):
    again = RunFolder.open(run.path)
    assert again.config() == run.config()
    assert again.config().model.units == 12
    assert again.facts()["pairs"] == "train.tsv"


def test_tokenizers_come_back(run):
    source = SubwordTokenizer.train(["one two"], 30)
    target = SubwordTokenizer.train(["один два"], 40)
    run.save_tokenizers(source, target)
    found = RunFolder.open(run.path).tokenizers()
    assert [one.to_json() for one in found] == [source.to_json(), target.to_json()]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: (path / "config.json").unlink(), "not a run folder"),
        (lambda path: (path / "config.json").write_text("{"), "damaged"),
        (lambda path: (path / "config.json").write_text("[]"), "format 1"),
        (lambda path: (path / "config.json").write_text('{"format": 9}'), "format 9"),
    ],
)
def test_a_folder_that_is_no_run(run, damage, message):
    damage(run.path)
    with pytest.raises(ValueError, match=message):
        RunFolder.open(run.path)


def test_what_a_run_lacks_is_said(run, tmp_path):
    with pytest.raises(ValueError, match="no such run folder"):
        RunFolder.open(tmp_path / "none")
    with pytest.raises(ValueError, match=r"no source\.tokenizer\.json"):
        run.tokenizers()
    with pytest.raises(ValueError, match="holds no checkpoint yet"):
        run.checkpoint()
    (run.path / "source.tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"source\.tokenizer\.json: not a saved"):
        run.tokenizers()


def test_create_never_takes_a_folder_in_use(run, tmp_path):
    with pytest.raises(ValueError, match=r"exists already.* with --resume"):
        RunFolder.create(run.path, run.config())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").touch()
    with pytest.raises(ValueError, match="not empty and is not a run"):
        RunFolder.create(tmp_path / "other", run.config())
    with pytest.raises(ValueError, match="a folder is needed"):
        RunFolder.create(tmp_path / "other" / "thesis.doc", run.config())


def test_a_folder_that_cannot_be_written_into_is_named_with_its_option(run, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "run"  # a right that even root lacks
    with pytest.raises(ValueError, match=r"^--out must be .* and .*file/run.*choose"):
        RunFolder.create(out, run.config())


def test_the_best_checkpoint_is_preferred(run):
    run.save(run.last, lambda path: path.write_bytes(b"last"))
    assert run.checkpoint() == run.last
    run.save(run.best, lambda path: path.write_bytes(b"best"))
    assert run.checkpoint().read_bytes() == b"best"
    assert run.checkpoint(best=False).read_bytes() == b"last"


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")

    def fail():
        with atomic_path(path) as temporary:
            assert temporary.suffix == ".keras"  # Keras insists on it
            temporary.write_bytes(b"half")
            assert path.read_bytes() == b"old"
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_a_written_file_has_ordinary_permissions(tmp_path):
    write_atomically(tmp_path / "a.json", "{}")
    (tmp_path / "b.json").write_text("{}")
    modes = {os.stat(tmp_path / name).st_mode for name in ("a.json", "b.json")}
    assert len(modes) == 1


def test_metrics_survive_a_torn_line_and_rewind(run):
    for step in range(1, 6):
        run.log(step=step, loss=1 / step)
    with run.metrics.open("a") as stream:
        stream.write('{"step": 6, "lo')
    assert [line["step"] for line in run.read_metrics()] == [1, 2, 3, 4, 5]
    run.rewind_metrics(3)
    assert [line["step"] for line in run.read_metrics()] == [1, 2, 3]
    run.log(step=4, loss=0.5)
    lines = run.metrics.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]


def test_settings_from_toml_with_overrides(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[training]\nepochs = 3\nseed = 7\n[model]\nunits = 64\n")
    config = TranslateConfig.load(
        path, training={"minutes": 2.0, "epochs": None}, model={"attention": "cosine"}
    )
    assert (config.training.minutes, config.training.epochs) == (2.0, None)
    assert (config.training.seed, config.model.units) == (7, 64)
    assert config.model.attention == "cosine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nwidth = 3", "model.width is not a setting"),
        ("[model]\nunits = 0", "model.units: .*greater than or equal to 1. Got 0"),
        ("[model]\nattention = 'x'", "model.attention: .*'additive', 'dot'.*Got 'x'"),
        (
            "[model]\ninput_feeding = true\norder = 'bahdanau'",
            "input_feeding needs order = 'luong'",
        ),
        ("[training]\nminutes = 1\nepochs = 1", "give minutes or epochs, not both"),
        ("model = 3", "model: Input should be .*Got 3"),
        ("model = ", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, message):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        TranslateConfig.load(path, model={"attention": None})
    with pytest.raises(ValueError, match="no such configuration file"):
        TranslateConfig.load(tmp_path / "none.toml")


def test_settings_print_as_a_file_that_reads_back(tmp_path):
    config = TranslateConfig.load(
        None, model={"units": 12, "attention_options": {}}, training={"epochs": 3}
    )
    path = tmp_path / "run.toml"
    path.write_text(config.to_toml())
    assert TranslateConfig.load(path) == config
    assert "# minutes =" in config.to_toml()
