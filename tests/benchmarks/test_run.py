"""The command of the measurements: what it lists, refuses and prints; never a speed."""

import json

import numpy as np
import pytest

from benchmarks import run
from benchmarks.harness import Contender, Goal, Work, memory_of
from benchmarks.processes import measure
from benchmarks.table import rows


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


@pytest.mark.slow
@pytest.mark.backend("torch")
def test_a_small_work_is_measured_and_judged(tmp_path, capsys):
    path = tmp_path / "measured.json"
    options = ["--here", "--quick", "--only", "first_additive", "--backend", "torch"]
    assert run.main([*options, "--json", str(path)]) == 0
    assert "first_additive  torch    length=128  first call" in capsys.readouterr().out
    found = json.loads(path.read_text())["works"]["first_additive"]["torch"]
    assert set(found["sizes"][0]["times"]["first call"]) == {"regard", "keras"}


@pytest.mark.slow
@pytest.mark.backend("torch")
def test_a_work_that_fails_is_a_failure_and_not_the_end():
    tasks = [{"work": "nothing", "mode": "time", "size": {}, "quick": True}] * 2
    found = [each for _, each in measure(tasks, "torch", lambda: 60.0)]
    assert found == [{"failure": "KeyError: 'nothing'"}] * 2


def test_what_there_is_no_time_for_is_a_failure():
    tasks = [{"work": "nothing", "mode": "time", "size": {}, "quick": True}]
    found = list(measure(tasks, "torch", lambda: 0.0))
    assert found == [(tasks[0], {"failure": "no time was left"})]


def test_memory_is_that_of_the_action_alone():
    held = np.ones(10_000_000)  # 80 MB that are there before

    def needs_forty_megabytes():
        return np.ones(5_000_000).sum() + held[0]

    grown = memory_of(Contender({"sum": needs_forty_megabytes}))
    assert grown["sum"] == pytest.approx(40e6, rel=0.1)


@pytest.mark.parametrize(
    ("goal", "measured", "verdict"),
    [
        (Goal("speed", "forward", "peer", 2.0), "2.50x", "met"),
        (Goal("speed", "forward", "peer", 3.0), "2.50x", "MISSED"),
        (Goal("memory", "forward", "peer", 0.1), "0.20x", "MISSED"),
        (Goal("extra", "forward", "peer", -1.0), "-3.00 s", "met"),
        (Goal("growth", "forward", bound=1.1), "power 1.00", "met"),
        (Goal("memory growth", "forward", bound=1.1), "power 2.00", "MISSED"),
        (Goal("flat", "forward", bound=1.1), "1.00x", "met"),
        (Goal("planned", "forward", bound=0.25), "-50%", "MISSED"),
        (Goal("speed", "forward", "peer"), "2.50x", ""),
    ],
)
def test_a_goal_is_judged_by_medians(goal, measured, verdict):
    """Ours takes 2 s for each unit, the peer 5 s, with a turn that was disturbed."""
    sizes = [
        {
            "size": {"length": n},
            "units": float(n),
            "times": {
                "forward": {"regard": [2.0 * n] * 2 + [9.0], "peer": [5.0 * n] * 3}
            },
            "memory": {"regard": {"forward": 2e8 * n**2}, "peer": {"forward": 1e9}},
            "predicted": 1e8,
        }
        for n in (1, 2)
    ]
    work = Work("small", "", (), lambda *_: {}, lambda _: [goal])
    found = {"works": {"small": {"jax": {"sizes": sizes}}}, "limits": {}}
    first = next(rows(found, {"small": work}))
    assert (first.measured, first.verdict) == (measured, verdict)
