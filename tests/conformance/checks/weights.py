"""Options of the weights reach the weights they name."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.gradients import weight_name
from tests.conformance.subject import Subject, build, numpy


def is_kernel(name):
    return name.rsplit("/", 1)[-1].endswith(("kernel", "score_vector"))


@check()
def kernel_options_reach_every_kernel(subject):
    if "kernel_regularizer" not in subject.layer.get_config():
        return
    layer = Subject(
        subject.case,
        kernel_regularizer=keras.regularizers.L2(0.5),
        kernel_constraint=keras.constraints.NonNeg(),
    ).layer
    kernels = {}
    for variable in layer.trainable_variables:
        name = weight_name(layer, variable)
        if is_kernel(name):
            kernels[name] = numpy(variable.value)
        assert is_kernel(name) == (variable.constraint is not None), name
    assert kernels
    expected = sum(0.5 * np.sum(kernel**2) for kernel in kernels.values())
    assert_allclose(float(sum(numpy(each) for each in layer.losses)), expected, 1e-4)


@check()
def the_kernel_initializer_is_used(subject):
    if "kernel_initializer" not in subject.layer.get_config():
        return
    layer = subject.case.make(kernel_initializer=keras.initializers.Constant(0.25))
    build(subject.case, layer, subject.inputs)
    kernels = [
        numpy(variable.value)
        for variable in layer.trainable_variables
        if is_kernel(weight_name(layer, variable))
    ]
    assert kernels
    for kernel in kernels:
        assert_allclose(kernel, 0.25)
