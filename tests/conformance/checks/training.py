"""Layers train: every weight moves, dropout drops, and only in training."""

import keras
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from tests.conformance.checks.registry import check
from tests.conformance.gradients import weight_name
from tests.conformance.subject import call, numpy, rng_of


@check()
def a_training_step_moves_every_weight(subject):
    case = subject.case
    keras.utils.set_random_seed(5)  # the same start in every run
    layer = case.make()  # its own initial weights: no dead start
    inputs = {
        n: keras.Input(case.symbol(n)[1:], name=n, dtype=case.dtype(n))
        for n in case.arguments
    }
    model = keras.Model(list(inputs.values()), call(case, layer, inputs))
    if not layer.trainable_variables:
        return
    before = {weight_name(layer, w): numpy(w.value) for w in layer.trainable_variables}
    arrays = list(subject.inputs.values())
    target = rng_of(case.name, "target").normal(size=subject.expected()[0].shape)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    history = model.fit(arrays, target.astype("float32"), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    after = {weight_name(layer, w): numpy(w.value) for w in layer.trainable_variables}
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    resting = set(before) - moved
    assert resting <= set(case.still), f"{sorted(resting)} did not move"
    for name in moved:
        assert np.isfinite(after[name]).all(), name


@check("dropout")
def dropout_acts_in_training_alone(subject):
    case = subject.case
    layer = case.make(dropout=0.5, seed=3)
    call(case, layer, subject.inputs)
    for ours, theirs in zip(
        layer.trainable_variables, subject.layer.trainable_variables, strict=True
    ):
        ours.assign(theirs)
    plain, weights = subject.with_weights()
    assert_allclose(numpy(call(case, layer, subject.inputs)), plain, atol=1e-6)
    inputs = subject.inputs

    def train():
        return numpy(
            call(case, layer, inputs, training=True, return_attention_scores=True)
        )

    (first, shown), (second, _) = train(), train()
    assert np.abs(first - plain).max() > 1e-3
    assert np.abs(first - second).max() > 1e-3
    assert_allclose(shown, weights, rtol=1e-5, atol=1e-6)  # before dropout


@check("dropout")
def dropout_repeats_with_its_seed(subject):
    answers = []
    for _ in range(2):
        layer = subject.case.make(dropout=0.5, seed=11)
        call(subject.case, layer, subject.inputs)
        for ours, theirs in zip(
            layer.trainable_variables, subject.layer.trainable_variables, strict=True
        ):
            ours.assign(theirs)
        answers.append(numpy(call(subject.case, layer, subject.inputs, training=True)))
    assert_array_equal(*answers)
