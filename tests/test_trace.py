"""A trace is a plain frozen record of arrays."""

import copy
import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

from regard.trace import Trace


def make_trace() -> Trace:
    weights = np.full((2, 1, 3, 4), 0.25, "float32")
    return Trace(
        mechanism="additive",
        layer="model/additive_attention",
        scores=np.zeros((2, 1, 3, 4), "float32"),
        weights=weights,
        masks={"padding": np.ones((2, 1, 1, 4), bool)},
        extra={"coverage": weights.sum(axis=2)},
    )


def test_fields_are_the_five_steps_in_order():
    names = " ".join(each.name for each in dataclasses.fields(Trace))
    assert names == (
        "mechanism layer query key value scores bias mask weights context output "
        "masks extra inputs parameters settings training"
    )


def test_what_is_absent_is_none():
    trace = Trace(mechanism="dot")
    assert trace.query is None and trace.mask is None
    assert dict(trace.masks) == {} and dict(trace.extra) == {}
    assert list(trace.arrays()) == []


def test_a_trace_cannot_be_changed():
    causes = {"padding": np.ones((1, 1, 1, 2), bool)}
    trace = Trace(mechanism="dot", masks=causes)
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.mechanism = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        trace.masks["user"] = np.ones((1,))  # type: ignore[index]
    causes["user"] = np.ones((1,), bool)
    assert list(trace.masks) == ["padding"]


def test_repr_shows_names_and_shapes_not_numbers():
    shown = repr(make_trace())
    assert shown == (
        "Trace('additive'; layer='model/additive_attention'; scores (2, 1, 3, 4); "
        "weights (2, 1, 3, 4); masks: padding; extra: coverage)"
    )


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_a_trace_survives_copying_and_pickling(clone):
    trace = make_trace()
    again = clone(trace)
    np.testing.assert_array_equal(again.weights, trace.weights)
    np.testing.assert_array_equal(again.masks["padding"], trace.masks["padding"])
    assert repr(again) == repr(trace)
    with pytest.raises(TypeError):
        again.extra["more"] = 1


def test_the_module_itself_needs_nothing_but_numpy():
    program = (
        "import sys, importlib.util as u; "
        "spec = u.spec_from_file_location('trace', sys.argv[1]); "
        "module = u.module_from_spec(spec); sys.modules['trace'] = module; "
        "spec.loader.exec_module(module); "
        "print(sorted({'keras', 'jax', 'tensorflow', 'torch'} & set(sys.modules)))"
    )
    import regard.trace

    found = subprocess.run(
        [sys.executable, "-c", program, regard.trace.__file__],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "[]"
