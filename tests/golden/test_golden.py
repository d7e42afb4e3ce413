"""Every reference vector passes, or is listed in the table with its reason."""

import json
import os
from pathlib import Path

import pytest

from tests.golden import check
from tests.golden.cases import read_index
from tests.golden.judge import DEFECT, FAILED, LATER, judge_entry

SHARED = os.environ.get("REGARD_SHARED")
FOLDER = Path(SHARED) / "golden" if SHARED else None
ENTRIES = read_index(FOLDER) if FOLDER else []


def test_reference_vectors_are_at_hand(shared):
    assert ENTRIES


def parameter(entry):
    """All cases are slow but one of each widely used layer."""
    marks = () if entry.get("core") else pytest.mark.slow
    return pytest.param(entry, id=entry["id"], marks=marks)


@pytest.mark.parametrize("entry", [parameter(entry) for entry in ENTRIES])
def test_case(entry):
    verdict = judge_entry(FOLDER, entry)
    assert verdict.status != FAILED, verdict.reason
    if verdict.status in (DEFECT, LATER):
        assert verdict.reason


def test_a_wrong_number_fails_and_says_where(tmp_path, shared, capsys):
    import numpy as np

    entry = next(e for e in ENTRIES if e["id"].startswith("attention_keras."))
    with np.load(FOLDER / entry["file"]) as arrays:
        moved = {name: arrays[name] for name in arrays.files}
    moved["grad.w.W_a"] = moved["grad.w.W_a"] + 1e-2
    np.savez(tmp_path / entry["file"], **moved)
    (tmp_path / "index.json").write_text(json.dumps({"cases": [entry]}))
    report = tmp_path / "report.json"
    assert check.main([str(tmp_path), "--json", str(report)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert "grad.w.W_a: off by 1.00e-02" in printed[0]
    assert printed[-1] == "0 matched, 0 defects, 0 out of scope, 1 failed"
    assert json.loads(report.read_text())["summary"]["failed"] == 1


def test_a_folder_without_an_index_is_refused(tmp_path, capsys):
    assert check.main([str(tmp_path)]) == 2
    assert "index.json" in capsys.readouterr().err
