"""What is hidden cannot matter, and a row that sees nothing is zero."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.conformance.checks.registry import check
from tests.conformance.checks.visibility import hide_keys, hide_pairs, key_mask
from tests.conformance.gradients import gradients
from tests.conformance.subject import rng_of, subject_of

JUNK = (1e3, -1e3, np.nan, np.inf)


def spoil(subject, keep, junk):
    """The inputs with junk wherever `keep` (B, S) is False."""
    spoilt = dict(subject.inputs)
    for name in subject.case.memory:
        shown = keep.reshape(*keep.shape, *[1] * (spoilt[name].ndim - keep.ndim))
        kind = np.int32(1) if name in subject.case.whole else np.float32(junk)
        spoilt[name] = np.where(shown, spoilt[name], kind)
    return spoilt


@check("hides")
def masked_values_do_not_matter(subject):
    options, _ = hide_keys(subject)
    clean = subject.call(spoil(subject, key_mask(subject), 0.0), **options)
    for junk in JUNK:
        spoilt = spoil(subject, key_mask(subject), junk)
        assert_allclose(subject.call(spoilt, **options), clean, rtol=1e-6, atol=1e-7)


@check("hides")
def gradients_are_finite_under_nan(subject):
    options, _ = hide_keys(subject)
    upstream = rng_of(subject.case.name, "nan").normal(size=subject.call().shape)
    spoilt = spoil(subject, key_mask(subject), np.nan)
    value, for_inputs, for_weights = subject.gradients(upstream, spoilt, **options)
    assert np.isfinite(value)
    for name, found in {**for_inputs, **for_weights}.items():
        assert np.isfinite(found).all(), f"gradient of {name}"
    hidden = ~key_mask(subject)
    for name in set(subject.case.memory) & set(for_inputs):
        assert (for_inputs[name][hidden] == 0).all(), f"gradient of hidden {name}"


@check("memory")
def nan_stays_away_from_queries_that_may_not_see_it(subject):
    pairs = np.ones(
        (subject.inputs["query"].shape[1], key_mask(subject).shape[1]), bool
    )
    pairs[0, 3] = False  # query 0 may not see key 3, the others may
    clean = subject.call(attention_mask=pairs)
    keep = np.ones(key_mask(subject).shape, bool)
    keep[0, 3] = False
    spoilt = subject.call(spoil(subject, keep, np.nan), attention_mask=pairs)
    assert_allclose(spoilt[0, 0], clean[0, 0], rtol=1e-6, atol=1e-7)
    assert_allclose(spoilt[1], clean[1], rtol=1e-6, atol=1e-7)


@check("memory")
def nan_in_a_masked_query_stays_there(subject):
    keep = np.array([[True, False, True], [True, True, True]])
    spoilt = dict(subject.inputs)
    spoilt["query"] = np.where(keep[..., None], spoilt["query"], np.float32("nan"))
    clean = subject.call(query_mask=keep)
    assert_allclose(subject.call(spoilt, query_mask=keep), clean, rtol=1e-6, atol=1e-7)
    upstream = rng_of(subject.case.name, "query").normal(size=clean.shape)
    _, for_inputs, for_weights = subject.gradients(upstream, spoilt, query_mask=keep)
    for name, found in {**for_inputs, **for_weights}.items():
        assert np.isfinite(found).all(), f"gradient of {name}"


@check("asks")
def nan_under_the_mask_of_the_query_stays_there(subject):
    """With the mask on the tensor, as Embedding puts it there."""
    asking = subject.case.queries
    keep = np.array([[True, True, False], [True, True, True]])
    mask = keras.ops.convert_to_tensor(keep)
    upstream = rng_of(subject.case.name, "tag").normal(size=subject.call().shape)
    fixed = {"upstream": upstream.astype("float32")}

    def masked_loss(**inputs):
        inputs[asking] = _Tagging(mask)(inputs[asking])
        return subject.loss(**inputs)

    values = []
    for junk in (0.0, np.nan):
        inputs = dict(subject.inputs)
        inputs[asking] = np.where(keep[..., None], inputs[asking], np.float32(junk))
        value, *slopes = gradients(subject.layer, masked_loss, inputs, fixed, True)
        values.append(value)
        for name, found in {**slopes[0], **slopes[1]}.items():
            assert np.isfinite(found).all(), f"gradient of {name}"
    assert_allclose(values[1], values[0], rtol=1e-5)


@check("masked")
def padding_equals_truncation(subject):
    keep = np.ones(key_mask(subject).shape, bool)
    keep[:, -2:] = False
    short = {
        name: array[:, :-2] if name in subject.case.memory else array
        for name, array in subject.inputs.items()
    }
    positions = {}
    if subject.case.sees is not None:  # the same places for the queries in both calls
        queries, keys = subject.inputs["query"].shape[1], short["key"].shape[1]
        positions = {"query_positions": np.arange(keys - queries, keys)}
    spoilt = spoil(subject, keep, 1e3)
    mask = {subject.case.mask: keep}
    padded, padded_weights = subject.with_weights(spoilt, **mask, **positions)
    plain, weights = subject.at_once(short, weights=True, **positions)
    padded = padded[..., :-2] if "points" in subject.case.tags else padded
    assert_allclose(padded, plain, rtol=1e-5, atol=1e-6)
    assert_allclose(padded_weights[..., :-2], weights, rtol=1e-5, atol=1e-6)
    assert (padded_weights[..., -2:] == 0).all()


@check("masked")
def empty_rows_are_zero(subject):
    """Weights 0 and context 0; the output is what the reference makes of that."""
    keep = key_mask(subject)
    keep[1] = False
    visible = keep if subject.case.queries is None else keep[:, None, :]
    cases = [({subject.case.mask: keep}, visible)]
    if "memory" in subject.case.tags:
        cases.append(hide_pairs(subject))
    for options, visible in cases:
        output, weights = subject.with_weights(**options)
        expected, _ = subject.expected(visible=visible)
        seen = subject.case.visibility(subject.inputs, visible).any(-1)
        assert not seen.all()
        empty = (
            np.moveaxis(weights, 1, -2)[~seen] if weights.ndim == 4 else weights[~seen]
        )
        assert (empty == 0).all()
        if output.ndim == seen.ndim:  # several rows of weights, one output
            seen = seen.all(-1)
        assert_allclose(output[~seen], expected[~seen], atol=1e-6)
        assert_allclose(output[seen], expected[seen], rtol=1e-4, atol=1e-5)


@check("masked")
def empty_rows_have_gradient_zero(subject):
    keep = key_mask(subject)
    keep[1] = False
    upstream = rng_of(subject.case.name, "empty").normal(size=subject.call().shape)
    masks = {subject.case.mask: keep}
    _, for_inputs, for_weights = subject.gradients(upstream, **masks)
    for name, found in for_inputs.items():
        assert np.isfinite(found).all(), f"gradient of {name}"
        if name in subject.case.memory or "direct" not in subject.case.tags:
            assert (found[1] == 0).all(), f"gradient of {name} in the empty example"
    for name, found in for_weights.items():
        assert np.isfinite(found).all(), f"gradient of {name}"


@check("masked")
def empty_rows_in_half_precision(subject):
    keep = key_mask(subject)
    keep[1] = False
    masks = {subject.case.mask: keep}
    for kind in ("float16", "bfloat16"):
        half = subject_of(subject.case, kind)
        output, weights = half.at_once(weights=True, **masks)
        assert np.isfinite(output).all() and (weights[1] == 0).all()
    _, for_inputs, for_weights = half.gradients(np.ones(output.shape), **masks)
    for name, found in {**for_inputs, **for_weights}.items():
        assert np.isfinite(found).all(), f"gradient of {name} in {kind}"


@check("memory")
def all_masks_hold_together(subject):
    rng = rng_of(subject.case.name, "masks")
    batch, queries = subject.inputs["query"].shape[:2]
    keys = key_mask(subject).shape[1]
    masks = {
        "query_mask": rng.random((batch, queries)) > 0.2,
        "value_mask": rng.random((batch, keys)) > 0.2,
        "key_mask": rng.random((batch, keys)) > 0.2,
        "attention_mask": rng.random((queries, keys)) > 0.2,
    }
    causal = np.tril(np.ones((queries, keys), bool), keys - queries)
    visible = causal & masks["attention_mask"] & masks["query_mask"][:, :, None]
    visible = visible & (masks["value_mask"] & masks["key_mask"])[:, None, :]
    output, weights = subject.with_weights(use_causal_mask=True, **masks)
    expected, expected_weights = subject.expected(visible=visible)
    assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)
    kept = np.ones((batch, queries), bool)
    if "direct" in subject.case.tags:  # a masked query is zero in its own way out too
        kept = masks["query_mask"]
    assert_allclose(output[kept], expected[kept], rtol=1e-4, atol=1e-5)
    integers = {name: mask.astype("int32") for name, mask in masks.items()}
    assert_allclose(subject.call(use_causal_mask=True, **integers), output)


@check("masked")
def implicit_masks_are_honoured_and_left_alone(subject):
    options, _ = hide_keys(subject)
    expected = subject.call(**options)
    inputs = {k: keras.ops.convert_to_tensor(x) for k, x in subject.inputs.items()}
    mask = keras.ops.convert_to_tensor(key_mask(subject))
    name = subject.case.memory[0]
    masked = _Tagging(mask)(inputs[name])
    found = subject.call({**inputs, name: masked})
    assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert masked._keras_mask is mask  # the caller's tensor keeps it
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(mask), key_mask(subject))


@check("memory")
def output_carries_the_mask_of_the_query(subject):
    keep = keras.ops.convert_to_tensor([[True, False, True], [True, True, True]])
    inputs = {k: keras.ops.convert_to_tensor(x) for k, x in subject.inputs.items()}
    inputs["query"] = _Tagging(keep)(inputs["query"])
    for options in ({}, {"return_attention_scores": True}):
        output = subject.tensors(inputs, **options)
        output = output[0] if options else output
        carried = keras.ops.convert_to_numpy(output._keras_mask)
        np.testing.assert_array_equal(carried, keras.ops.convert_to_numpy(keep))


class _Tagging(keras.layers.Layer):
    """Copies a tensor and gives it a mask, as Embedding and Masking do."""

    def __init__(self, mask):
        super().__init__()
        self.mask = mask
        self.supports_masking = True

    def call(self, inputs):
        return inputs * 1

    def compute_mask(self, inputs, previous_mask=None):
        return self.mask


@check("masked")
def float_masks_are_refused(subject):
    additive = np.where(key_mask(subject), 0.0, -1e9).astype("float32")
    with pytest.raises(ValueError, match="must be boolean"):
        subject.call(**{subject.case.mask: additive})
    if "memory" in subject.case.tags:
        shape = (subject.inputs["query"].shape[1], additive.shape[1])
        with pytest.raises(ValueError, match="attention_mask must be boolean"):
            subject.call(attention_mask=np.zeros(shape, "float32"))


@check("masked")
def masks_of_a_wrong_shape_are_refused(subject):
    wrong = np.ones((2, key_mask(subject).shape[1] + 1), bool)
    with pytest.raises(ValueError, match=rf"{subject.case.mask} must have shape"):
        subject.call(**{subject.case.mask: wrong})
    if "memory" in subject.case.tags:
        with pytest.raises(ValueError, match="attention_mask must have shape"):
            subject.call(attention_mask=np.ones(key_mask(subject).shape, bool)[:, :3])
