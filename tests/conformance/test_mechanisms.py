"""Every check on every mechanism."""

import inspect

import keras
import pytest

from tests.conformance.cases import CASES
from tests.conformance.checks import CHECKS
from tests.conformance.subject import subject_of

# Where a check is sampled: one mechanism per kind of score, and a recurrent one.
SAMPLE = {"additive", "multi_head_causal", "decoder_bahdanau"}
# Where every shape is compiled, `make test` puts all checks to these mechanisms, one or
# two of each kind, and the essential ones to the others. .ci/run puts all checks to
# every layer, and `make test-all` to every row. On torch all run everywhere.
ROOTS = SAMPLE | {
    "dot",
    "feature_gate",
    "general",
    "grouped_query",
    "multi_head",
    "pooling",
    "retention",
    "scaled_dot",
}
ESSENTIAL = {
    "a_training_step_moves_every_weight",
    "configuration_round_trip",
    "empty_rows_are_zero",
    "gradient_matches_central_differences",
    "output_matches_reference",
    "output_matches_reference_under_padding",
    "symbolic_shapes_agree_with_real_ones",
}
# What of rows of a layer that an earlier row shows no backend can change: on torch.
PORTABLE = {"a_training_step_moves_every_weight", "configuration_round_trip"}
BACKEND = keras.backend.backend()


def later_rows():
    """Rows of a layer that an earlier row shows already, with other options."""
    known = set()
    for case in CASES:
        layer = getattr(case.make, "func", case.make)
        if layer in known:
            yield case
        known.add(layer)


OPTIONS = set(later_rows())


def marks_of(case, check):
    if check.name in case.xfail:
        yield pytest.mark.xfail(strict=True, reason=case.xfail[check.name])
    if check.name == "compiled_equals_eager" and BACKEND == "torch":
        yield pytest.mark.slow  # half a minute a layer
    if BACKEND != "torch" and case.name not in ROOTS and check.name not in ESSENTIAL:
        yield pytest.mark.slow if case in OPTIONS else pytest.mark.thorough


def pairs():
    for case in CASES:
        for check in CHECKS:
            if not check.needs <= case.tags:
                continue
            if BACKEND in check.sampled_on and case.name not in SAMPLE:
                continue
            if BACKEND != "torch" and case in OPTIONS and check.name in PORTABLE:
                continue
            marks = list(marks_of(case, check))
            yield pytest.param(case, check, id=f"{case.name}-{check.name}", marks=marks)


@pytest.mark.parametrize("case, check", list(pairs()))
def test_mechanism(case, check, request):
    wanted = list(inspect.signature(check.run).parameters)[1:]
    check.run(subject_of(case), **{n: request.getfixturevalue(n) for n in wanted})
