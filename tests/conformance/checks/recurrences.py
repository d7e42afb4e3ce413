"""A state carries the past: steps, pieces and the whole give the same numbers."""

import keras
import numpy as np
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import key_mask
from tests.conformance.subject import Subject, numpy, rng_of, subject_of

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def sequence(subject):
    return subject.inputs[subject.case.memory[0]]


def stepped(layer, inputs):
    """Outputs (B, T, D) one position at a time, and the last state."""
    state, outputs = layer.initial_state(len(inputs)), []
    for t in range(inputs.shape[1]):
        output, state = layer.step(keras.ops.convert_to_tensor(inputs[:, t]), state)
        outputs.append(numpy(output))
    return np.stack(outputs, 1), state


@check("recurrent")
def weights_match_the_reference_of_a_sequence(subject):
    for options, visible in (({}, None), ({"mask": key_mask(subject)},) * 2):
        visible = visible and visible["mask"]
        output, weights = subject.with_weights(**options)
        expected, shown = subject.expected(visible=visible)
        assert_allclose(output, expected, **CLOSE)
        assert_allclose(weights, shown, **CLOSE)


@check("recurrent")
def steps_pieces_and_the_whole_agree(subject):
    layer, inputs = subject.layer, sequence(subject)
    whole, last = numpy(layer(inputs, state=layer.initial_state(len(inputs))))
    assert_allclose(whole, subject.call(), **CLOSE)
    outputs, state = stepped(layer, inputs)
    assert_allclose(outputs, whole, **CLOSE)
    assert_same_states(state, last)
    for cut in (1, 3):
        first, state = layer.prefill(inputs[:, :cut])
        second, state = layer.prefill(inputs[:, cut:], state=state)
        pieces = np.concatenate([numpy(first), numpy(second)], 1)
        assert_allclose(pieces, whole, **CLOSE)
        assert_same_states(state, last)


def assert_same_states(found, expected):
    found, expected = numpy(found), numpy(expected)
    assert set(found) == set(expected)
    for name, leaf in expected.items():
        assert_allclose(found[name], leaf, **CLOSE)


@check("recurrent")
def states_are_float32_and_batch_first(subject):
    for policy in ("float32", "mixed_float16", "bfloat16"):
        layer = subject_of(subject.case, policy).layer
        inputs = sequence(subject)
        _, state = layer.prefill(inputs)
        start = layer.initial_state(len(inputs))
        for before, after in zip(
            keras.tree.flatten(start), keras.tree.flatten(state), strict=True
        ):
            assert before.shape[0] == after.shape[0]
            assert len(before.shape) == len(after.shape)
            assert after.shape[0] == len(inputs)
            kinds = {keras.backend.standardize_dtype(x.dtype) for x in (before, after)}
            assert len(kinds) == 1 and kinds <= {"float32", "int32"}


@check("recurrent")
def states_follow_a_reordered_batch(subject):
    layer, inputs = subject.layer, sequence(subject)
    _, state = layer.prefill(inputs[:, :2])
    taken = keras.tree.map_structure(
        lambda leaf: keras.ops.take(leaf, np.array([1, 0]), axis=0), state
    )
    plain, _ = layer.step(keras.ops.convert_to_tensor(inputs[:, 2]), state)
    turned, _ = layer.step(keras.ops.convert_to_tensor(inputs[::-1, 2].copy()), taken)
    assert_allclose(numpy(turned), numpy(plain)[::-1], **CLOSE)


@check("recurrent")
def the_future_does_not_matter(subject):
    whole, inputs = subject.call(), sequence(subject)
    for t in (1, 3):
        changed = inputs.copy()
        changed[:, t:] = 7.0
        found = numpy(subject.layer(changed))
        assert_allclose(found[:, :t], whole[:, :t], **CLOSE)
        assert np.abs(found[:, t:] - whole[:, t:]).max() > 1e-4
        assert_allclose(numpy(subject.layer(inputs[:, :t])), whole[:, :t], **CLOSE)


@check("recurrent")
def padding_writes_and_forgets_nothing(subject):
    """On either side, and in the middle: the state and the answers are the same."""
    layer, inputs = subject.layer, sequence(subject)
    whole, last = layer.prefill(inputs)
    batch, length, width = inputs.shape
    for place in (0, 2, length):
        hole = np.full((batch, 3, width), np.nan, "float32")
        padded = np.concatenate([inputs[:, :place], hole, inputs[:, place:]], 1)
        mask = np.ones((batch, length + 3), bool)
        mask[:, place : place + 3] = False
        output, state = layer.prefill(padded, mask=mask)
        assert_allclose(numpy(output)[mask].reshape(whole.shape), numpy(whole), **CLOSE)
        following = keras.ops.convert_to_tensor(inputs[:, 0])
        after = numpy(layer.step(following, state)[0])
        assert_allclose(after, numpy(layer.step(following, last)[0]), **CLOSE)


@check("recurrent")
def chunks_of_any_size_agree(subject):
    """With gradients; one chunk per position, some, one for all, and many in a loop."""
    inputs = rng_of(subject.case.name, "long").normal(size=(2, 19, 7)) / 2
    inputs = {subject.case.memory[0]: inputs.astype("float32")}
    mask = rng_of(subject.case.name, "holes").random((2, 19)) > 0.2
    expected, _ = subject.expected(inputs, mask)
    upstream = rng_of(subject.case.name, "up").normal(size=expected.shape)
    assert_allclose(subject.at_once(inputs, mask=mask), expected, **CLOSE)
    _, *slopes = subject.gradients(upstream, inputs, mask=mask)
    for size in (5, None):
        other = Subject(subject.case, chunk_size=size)
        found = other.at_once(inputs, mask=mask)
        assert_allclose(found, expected, **CLOSE)
        _, *theirs = other.gradients(upstream, inputs, mask=mask)
        for ours, same in zip(slopes, theirs, strict=True):
            for name, slope in ours.items():
                scale = 1e-4 * (1 + np.abs(slope).max())
                assert_allclose(same[name], slope, rtol=1e-3, atol=scale, err_msg=name)


@check("recurrent")
def a_state_of_another_call_is_not_changed(subject):
    layer, inputs = subject.layer, sequence(subject)
    _, state = layer.prefill(inputs)
    before = numpy(state)
    layer.prefill(inputs, state=state)
    layer.step(keras.ops.convert_to_tensor(inputs[:, 0]), state)
    for name, leaf in numpy(state).items():
        np.testing.assert_array_equal(leaf, before[name])
