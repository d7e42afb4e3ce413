"""An exported graph answers as the layer does, at lengths it was not traced with."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.conformance.cases import CASES
from tests.conformance.checks.saving import model_of
from tests.conformance.subject import numpy, subject_of
from tests.conformance.test_mechanisms import SAMPLE
from tests.export.exceptions import REFUSED, SOME_LENGTHS

onnxruntime = pytest.importorskip("onnxruntime")

BACKEND = keras.backend.backend()
LENGTHS = ({"query": 4, "key": 9}, {"query": 6, "key": 2})
pytestmark = [
    pytest.mark.backend("tensorflow", "torch"),
    pytest.mark.filterwarnings("ignore"),
]


def parameters():
    for case in CASES:
        marks = () if case.name in SAMPLE else pytest.mark.slow
        yield pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", list(parameters()))
def test_onnx_equals_the_layer(case, tmp_path):
    subject = subject_of(case)
    model = model_of(subject)
    model(list(subject.inputs.values()))  # torch exports what was called
    path = str(tmp_path / "model.onnx")
    if BACKEND == "torch" and case.name in REFUSED:
        with pytest.raises(Exception, match=REFUSED[case.name]):
            model.export(path, format="onnx", verbose=False)
        return
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    lengths = LENGTHS if "lengths" in case.tags else ({},)
    raised = False
    for sizes in lengths:
        if case.name == "learned_positions":  # its table has seven rows
            sizes = {"query": 4, "key": 6}
        inputs = list(subject.other_inputs("export", **sizes).values())
        given = dict(zip(names, inputs, strict=True))
        try:
            found = session.run(None, given)[0]
        except Exception as error:
            assert BACKEND == "torch" and case.name in SOME_LENGTHS, error
            raised = True
            continue
        expected = numpy(model(inputs))
        assert np.isfinite(found).all()
        assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert raised or BACKEND != "torch" or case.name not in SOME_LENGTHS
