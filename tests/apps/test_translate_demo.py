"""The demonstration on real sentences, from wheels made here, without a network.

Training is stood in for by saving an untrained model: what is tested is the way from
the wheels to the report, and what a second run reuses.
"""

import pytest

from regard.apps.translate import catalogue_sources, demo
from regard.apps.translate.config import TranslateConfig
from regard.apps.translate.network import make_network
from regard.apps.translate.pairs import read_pairs
from regard.apps.translate.tokenizer import SubwordTokenizer
from regard.cli import main

from .test_translate_catalogues import catalogue, make_wheel

# The little model reads eight pieces; its examples have more.
pytestmark = pytest.mark.filterwarnings("ignore:texts must have at most")

VERBS = {"Open": "Открыть", "Close": "Закрыть", "Print": "Печатать", "Find": "Найти"}
NOUNS = {
    "page": "страницу", "letter": "письмо", "window": "окно", "answer": "ответ",
    "garden": "сад", "kitchen": "кухню", "picture": "картину", "river": "реку",
}  # fmt: skip
MESSAGES = [
    (f"{verb} the {noun} now", f"{word} {thing} сейчас")
    for verb, word in VERBS.items()
    for noun, thing in NOUNS.items()
]
TINY = TranslateConfig.load(
    None,
    data={"source_vocabulary": 60, "target_vocabulary": 60, "max_length": 8},
    model={"embedding": 8, "units": 8},
    training={"epochs": 1},
)


def stand_in(folder, pairs, watched, say, resume):
    """Save an untrained model where training would save a trained one."""
    trained.append(resume)
    source = SubwordTokenizer.train(pairs.sources, 60)
    target = SubwordTokenizer.train(pairs.targets, 60)
    folder.save_tokenizers(source, target)
    model = make_network(folder.config().model, source.size, target.size)
    folder.save(folder.best, model.save)
    return True


trained: list[bool] = []


@pytest.fixture(scope="module", autouse=True)
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue_sources, "_pip_download", lambda *given: "offline")
        patch.setattr(demo, "train", stand_in)
        patch.setattr(demo.DemoSettings, "config", lambda self: TINY)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("translate")
    (path / "wheels").mkdir()
    content = catalogue("ru", MESSAGES)
    make_wheel(path / "wheels", "django", {"ru/LC_MESSAGES/django.mo": content})
    return path


def run(folder, **settings):
    said = []
    made = demo.TranslateDemo(
        folder, demo.DemoSettings(dev=3, test=6, **settings), said.append
    )
    return made, made.run(), said


@pytest.fixture(scope="module")
def first(folder):
    return run(folder)


def test_wheels_become_pairs_a_model_and_a_report(first, folder):
    made, scores, said = first
    splits = [read_pairs(folder / "pairs" / "ru" / f"{s}.tsv") for s in demo.SPLITS]
    assert sum(len(split.pairs) for split in splits) == len(MESSAGES)
    assert "left out WTForms: offline" in said
    assert f"{len(MESSAGES)} pairs from 1 packages" in " ".join(said)
    assert 0 <= scores["bleu"] <= 100 and "nrefs:1" in scores["bleu_signature"]
    page = made.report.read_text("utf-8")
    assert splits[2].sources[0] in page
    for language in ("en", "ru"):
        assert demo.LIMITS[language].split(":")[0] in page


def test_a_second_run_reuses_everything(first, folder):
    _, scores, said = run(folder)
    assert said == ["pairs: reused", "model: reused", "scores and report: reused"]
    assert scores == first[1]


def test_an_interrupted_training_goes_on(first, folder, monkeypatch):
    def interrupted(run_folder, *rest):
        run_folder.save(run_folder.last, lambda path: path.write_bytes(b"checkpoint"))
        return False

    settings = {"seed": 1}  # other pairs, so another model
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(demo, "train", interrupted)
        run(folder, **settings)
    trained.clear()
    _, _, said = run(folder, **settings)
    assert trained == [True]
    assert "model: going on from the last checkpoint" in said
    assert "model: making (an earlier run was stopped before it was finished)" in said


def test_other_pairs_begin_a_new_run(first, folder):
    trained.clear()
    _, _, said = run(folder, seed=2)
    assert trained == [False]
    assert any(line.startswith("model: making (pairs was ") for line in said)


def test_the_verb_draws_and_says_what_to_expect(first, folder, capsys, monkeypatch):
    monkeypatch.setattr(
        "regard.apps.translate.demo.DemoSettings",
        lambda **given: demo_settings(dev=3, test=6, **given),
    )
    assert main(["demo", "translate", "--out", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "BLEU" in shown and "chrF" in shown and "→" in shown
    assert demo.LIMITS["en"] in shown and demo.LIMITS["ru"] in shown


demo_settings = demo.DemoSettings
