"""Symbolic shapes agree with the real ones; every length works."""

import keras
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.saving import model_of
from tests.conformance.compiled import at_once
from tests.conformance.subject import call, numpy

# Query and key. Every new shape is compiled, so all checks share these few.
LENGTHS = ((1, 1), (1, 5), (6, 2))


def agrees(symbolic, real):
    """Same rank, and every size that is known is right."""
    assert len(symbolic.shape) == real.ndim
    for known, size in zip(symbolic.shape, real.shape, strict=True):
        assert known is None or known == size


@check()
def symbolic_shapes_agree_with_real_ones(subject):
    case = subject.case
    asked = {"return_attention_scores": True} if "weights" in case.tags else {}
    output = subject.with_weights() if asked else (subject.call(),)
    for batch, known in ((None, False), (2, False), (None, True), (2, True)):
        inputs = {
            name: keras.KerasTensor(
                case.symbol(name, batch, known), dtype=case.dtype(name), name=name
            )
            for name in case.arguments
        }
        symbolic = call(case, subject.layer, inputs, **asked)
        symbolic = symbolic if asked else (symbolic,)
        assert len(symbolic) == len(output)
        for spec, real in zip(symbolic, output, strict=True):
            agrees(spec, real)
        if known or "points" not in case.tags:
            assert symbolic[0].shape[-1] == output[0].shape[-1]
        first, *rest = (inputs[name] for name in case.arguments)
        spec = subject.layer.compute_output_spec(first, *rest)
        assert spec.shape == symbolic[0].shape and spec.dtype == symbolic[0].dtype


@check("lengths")
def one_model_takes_every_length(subject):
    run = at_once(model_of(subject))
    for query, key in LENGTHS:
        inputs = subject.other_inputs(query=query, key=key)
        found = numpy(run(list(inputs.values())))
        assert_allclose(found, subject.at_once(inputs), rtol=1e-5, atol=1e-6)
        assert found.shape == subject.expected(inputs)[0].shape


@check("lengths", sampled_on=("jax", "torch"))
def compiled_models_take_every_length(subject):
    """On TensorFlow the length is None inside the call from the second length on."""
    model = model_of(subject)
    for query, key in LENGTHS:
        inputs = subject.other_inputs(query=query, key=key)
        found = model.predict_on_batch(list(inputs.values()))
        assert_allclose(found, subject.at_once(inputs), rtol=1e-5, atol=1e-6)


@check()
def any_batch_works(subject):
    one = {name: array[:1] for name, array in subject.inputs.items()}
    assert_allclose(subject.at_once(one), subject.call()[:1], rtol=1e-5, atol=1e-6)
