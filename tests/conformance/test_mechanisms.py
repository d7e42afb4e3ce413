"""Every check on every mechanism."""

import inspect

import keras
import pytest

from tests.conformance.cases import CASES
from tests.conformance.checks import CHECKS
from tests.conformance.subject import subject_of

# torch's compiler takes half a minute a layer: one mechanism per path, and slowly.
ON_EVERY_BACKEND = {"additive", "multi_head"}


def marks_of(case, check):
    if check.name in case.xfail:
        yield pytest.mark.xfail(strict=True, reason=case.xfail[check.name])
    if check.name == "compiled_equals_eager" and keras.backend.backend() == "torch":
        yield pytest.mark.slow


def pairs():
    for case in CASES:
        for check in CHECKS:
            if not check.needs <= case.tags:
                continue
            marks = list(marks_of(case, check))
            if pytest.mark.slow in marks and case.name not in ON_EVERY_BACKEND:
                continue
            name = f"{case.name}-{check.name}"
            yield pytest.param(case, check, id=name, marks=marks)


@pytest.mark.parametrize("case, check", list(pairs()))
def test_mechanism(case, check, tmp_path):
    wanted = inspect.signature(check.run).parameters
    folder = {"tmp_path": tmp_path} if "tmp_path" in wanted else {}
    check.run(subject_of(case), **folder)
