"""The command of the measurements: what it lists, refuses and prints; never a speed."""

import json

import pytest

from benchmarks import run


def test_it_lists_the_works(capsys):
    assert run.main(["--list"]) == 0
    assert capsys.readouterr().out.startswith("additive ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "adaptive"], "--only must be of additive, "),
        (["--backend", "mxnet"], "--backend must be of jax, tensorflow, torch. Got"),
        (["--show"], "--show needs --json FILE that exists. Got None."),
    ],
)
def test_a_wrong_option_is_told_what_it_must_be(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        run.main(arguments)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.backend("torch")
def test_a_small_work_is_measured_and_judged(tmp_path, capsys):
    path = tmp_path / "measured.json"
    options = ["--here", "--quick", "--only", "multi_head", "--backend", "torch"]
    assert run.main([*options, "--json", str(path)]) == 0
    assert "multi_head  torch    length=1024 width=128" in capsys.readouterr().out
    found = json.loads(path.read_text())["works"]["multi_head"]["torch"]
    assert found["error"]["output"] < 1e-5
    assert set(found["sizes"][0]["memory"]) == {"regard", "keras"}
