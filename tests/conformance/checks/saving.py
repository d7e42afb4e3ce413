"""Every argument survives a configuration, a file and a clone."""

import inspect
import json
from copy import deepcopy

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.subject import Subject, build, call, numpy


@check()
def configuration_round_trip(subject):
    case, layer = subject.case, subject.layer
    config = json.loads(json.dumps(layer.get_config()))
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    for clone in (
        type(layer).from_config(deepcopy(config)),
        keras.saving.deserialize_keras_object(serialized),
    ):
        assert json.loads(json.dumps(clone.get_config())) == config
        build(case, clone, subject.inputs)
        assert [w.name for w in clone.weights] == [w.name for w in layer.weights]
        clone.set_weights(layer.get_weights())
        found = numpy(call(case, clone, subject.inputs))
        np.testing.assert_array_equal(found, subject.call())


@check()
def configuration_holds_every_argument(subject):
    config = subject.layer.get_config()
    ours = inspect.signature(type(subject.layer).__init__).parameters.values()
    named = {
        each.name
        for each in ours
        if each.name != "self" and each.kind is not inspect.Parameter.VAR_KEYWORD
    }
    if "memory" in subject.case.tags:
        named |= {"normalizer", "scope", "dropout", "seed"}
    assert named | {"name", "dtype", "trainable"} <= set(config)


@check()
def options_of_every_layer_survive(subject):
    """Those that have no default a reload could hide behind."""
    options = {"name": "mine", "dtype": "mixed_bfloat16", "trainable": False}
    if "dropout" in subject.case.tags:
        options |= {"dropout": 0.25, "seed": 7}
    layer = subject.case.make(**options)
    clone = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert clone.name == "mine" and clone.dtype_policy.name == "mixed_bfloat16"
    assert clone.trainable is False
    if "dropout" in options:
        assert clone.dropout == 0.25 and clone.seed == 7


@check()
def saved_models_answer_the_same(subject, tmp_path):
    model = model_of(subject)
    inputs = list(subject.inputs.values())
    expected = numpy(model(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(loaded(inputs)), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(numpy(clone(inputs)), expected)


def model_of(subject):
    """A Functional model around a fresh layer with the subject's weights."""
    fresh = Subject(subject.case)
    case = subject.case
    inputs = {
        n: keras.Input(case.symbol(n)[1:], name=n, dtype=case.dtype(n))
        for n in case.arguments
    }
    outputs = call(case, fresh.layer, inputs)
    assert_allclose(fresh.call(), subject.call())
    return keras.Model(list(inputs.values()), outputs)
