"""However a layer is called, compiled, watched or interrupted: the same answer."""

from contextlib import contextmanager
from functools import partial
from unittest import mock

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard.core import plan as planning
from regard.core.fused import is_fusable
from regard.core.limits import Limits
from regard.layers.alignments.alignment import Alignment
from regard.layers.attention import Attention
from regard.layers.chosen_rows import weights_of
from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import hide_keys, hide_pairs
from tests.conformance.compiled import compiled
from tests.conformance.gradients import gradients
from tests.conformance.subject import call, numpy, rng_of
from tests.reference.normalizers import of_part


def options_of(subject):
    """The richest call the mechanism takes."""
    if "memory" in subject.case.tags:
        return hide_pairs(subject)[0]
    return hide_keys(subject)[0] if "masked" in subject.case.tags else {}


@check(sampled_on=("torch",))
def compiled_equals_eager(subject):
    names = list(subject.inputs)
    masks = options_of(subject)
    asked = {"return_attention_scores": True} if "weights" in subject.case.tags else {}

    def function(**tensors):
        inputs = {name: tensors.pop(name) for name in names}
        return call(subject.case, subject.layer, inputs, **tensors, **asked)

    run = compiled(function)
    tensors = {**subject.inputs, **masks}
    tensors = {n: keras.ops.convert_to_tensor(x) for n, x in tensors.items()}
    found, expected = numpy(run(**tensors)), subject.call(**masks, **asked)
    if not asked:
        found, expected = (found,), (expected,)
    for ours, eager in zip(found, expected, strict=True):
        scale = max(1.0, np.abs(eager).max())  # a sum cancels to less than its terms
        assert_allclose(ours, eager, rtol=1e-5, atol=3e-6 * scale)


@check("memory")
def blocks_of_rows_equal_the_whole(subject):
    """The paths for long inputs, forced on short ones: same numbers, same gradients."""
    masks = options_of(subject)
    upstream = rng_of(subject.case.name, "blocks").normal(size=subject.call().shape)
    fixed = {"upstream": upstream.astype("float32"), **masks}
    bias = rng_of(subject.case.name, "bias").normal(size=(1, 1, 1, 5))
    options = {**masks, "use_causal_mask": True, "bias": bias.astype("float32")}
    whole = subject.with_weights(**options)
    _, *slopes = subject.gradients(upstream, **masks)
    fusable = isinstance(subject.layer, Attention) and is_fusable(
        subject.layer._whole_recipe()
    )
    for fused in (False, True)[: 1 + fusable]:
        with in_blocks(fused):
            blocks = subject.with_weights(**options)
            _, *block_slopes = gradients(
                subject.layer, subject.loss, subject.inputs, fixed
            )
        for ours, expected in zip(blocks, whole, strict=True):
            assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
        for ours, expected in zip(block_slopes, slopes, strict=True):
            for name, slope in expected.items():
                assert_allclose(ours[name], slope, rtol=1e-3, atol=1e-5, err_msg=name)


@contextmanager
def in_blocks(fused=False):
    """Limits so low that calls count as large: fused, or in blocks of one row."""
    tight = Limits(dense=1, block=1, fused=1 if fused else 1 << 40)
    with mock.patch.object(planning, "limits", lambda: tight):
        path = planning.plan(3, 5, planning.Traits(fusable=True), planes=2).path
        assert path == ("fused" if fused else "rows")
        yield


@check("weights")
def asking_for_weights_changes_nothing(subject):
    options = options_of(subject)
    for training in (None, False):
        if "masked" in subject.case.tags:
            options = {**options, "training": training}
        output, _ = subject.with_weights(**options)
        assert_array_equal(subject.call(**options), output)
        assert_array_equal(
            subject.call(return_attention_scores=False, **options), output
        )


def has_rows(layer):
    """Whether a row of weights depends on its own query alone."""
    soft = isinstance(layer, Attention) and not isinstance(layer, Alignment)
    return soft and layer.normalizer.rowwise


@check("memory", "weights")
def rows_alone_equal_those_of_all(subject):
    """Weights of chosen queries and heads, where rows do not depend on each other."""
    layer, (first, *rest) = subject.layer, subject.case.arguments
    inputs = {name: subject.inputs[name] for name in rest}
    for options in ({}, options_of(subject)):
        asked = partial(weights_of, layer, subject.inputs[first], **inputs, **options)
        if not has_rows(layer):
            with pytest.raises(ValueError):
                asked(rows=[0])
            continue
        _, weights = subject.with_weights(**options)
        assert_allclose(
            numpy(asked(rows=[-1, 0])), weights[..., [-1, 0], :], 1e-5, 1e-6
        )
        if layer.num_heads_shown:
            last = numpy(asked(rows=1, heads=-1))
            assert_allclose(last, weights[:, -1:, 1:2], 1e-5, 1e-6)


@check("weights")
def tracing_changes_nothing(subject):
    options = options_of(subject)
    before = subject.call(**options)
    first, *rest = subject.case.arguments
    named = {name: subject.inputs[name] for name in rest}
    trace = subject.layer.trace(subject.inputs[first], **named, **options)
    assert_array_equal(trace.output, before)
    assert_array_equal(subject.call(**options), before)
    again = subject.layer.trace(
        subject.inputs[first], **named, **options, return_attention_scores=True
    )
    assert_array_equal(again.output, before)


@check("traced")
def trace_is_complete(subject):
    """Every step can be recomputed from what the trace holds."""
    options = options_of(subject)
    first, *rest = subject.case.arguments
    named = {name: subject.inputs[name] for name in rest}
    trace = subject.layer.trace(subject.inputs[first], **named, **options)
    assert trace.mechanism == subject.layer.mechanism
    assert subject.layer.name in trace.layer
    _, weights = subject.with_weights(**options)
    shown = trace.weights
    assert shown.ndim == 4
    assert_allclose(shown.reshape(weights.shape), weights, rtol=1e-6, atol=1e-7)
    mask = np.broadcast_to(trace.mask, shown.shape)
    scores = trace.scores if trace.bias is None else trace.scores + trace.bias
    for head in np.ndindex(*shown.shape[:2]):
        expected = normalized(subject, scores[head].astype("float64"), mask[head], head)
        assert_allclose(shown[head], expected, rtol=1e-4, atol=1e-5)
    joined = np.ones(shown.shape, bool)
    for part in trace.masks.values():
        joined &= part
    assert trace.masks and (joined == mask).all()
    assert_allclose(trace.context, shown @ trace.value, rtol=1e-4, atol=1e-5)
    for field in ("query", "key", "value") if "memory" in subject.case.tags else ():
        assert getattr(trace, field).ndim == 4, field


def normalized(subject, scores, seen, head):
    """The weights (T, S) that one head makes of its scores, by the reference."""
    part = subject.layer.normalizer
    own = of_part(part.name, part.get_config(), subject.weights, head[1])
    if not part.rowwise:
        return own(scores, seen)
    expected = np.zeros(seen.shape)
    for i in np.flatnonzero(seen.any(-1)):
        expected[i, seen[i]] = own(scores[i, seen[i]])
    return expected


@check()
def no_state_between_calls(subject):
    attributes = set(vars(subject.layer))
    fixed = [numpy(each.value) for each in subject.layer.non_trainable_variables]
    first = subject.call()
    other = subject.other_inputs()
    apart = subject.call(other)
    if "lengths" in subject.case.tags:
        subject.at_once(subject.other_inputs(query=6, key=2))
    assert_array_equal(subject.call(), first)
    assert_array_equal(subject.call(other), apart)
    options = options_of(subject)
    subject.call(**options)
    assert_array_equal(subject.call(), first)
    assert set(vars(subject.layer)) == attributes
    for before, variable in zip(
        fixed, subject.layer.non_trainable_variables, strict=True
    ):
        assert_array_equal(numpy(variable.value), before)


@check("masked")
def inputs_and_masks_are_not_changed(subject):
    options = options_of(subject)
    inputs = {name: array.copy() for name, array in subject.inputs.items()}
    masks = {name: mask.copy() for name, mask in options.items()}
    subject.call(**options)
    for name, array in inputs.items():
        assert_array_equal(subject.inputs[name], array)
    for name, mask in masks.items():
        assert_array_equal(options[name], mask)
