"""What goes into a page comes out again, within the error that the page states."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regard.reports.encoding import (
    CODINGS,
    choose_coding,
    deflate,
    fits_levels,
    inflate,
    script_json,
)

WEIGHTS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
    elements=st.floats(0, 1, width=32) | st.just(np.float32(np.nan)),
)


@pytest.mark.parametrize("name", CODINGS)
@given(weights=WEIGHTS)
def test_weights_come_back_within_the_stated_error(name, weights):
    coding, _ = CODINGS[name]
    again = coding.decode(inflate(deflate(coding.encode(weights))))
    again = again.reshape(weights.shape)
    np.testing.assert_array_equal(np.isnan(again), np.isnan(weights))
    slack = 1e-7 if coding.levels else 0
    assert np.nanmax(abs(again - weights), initial=0) <= coding.error + slack


@pytest.mark.parametrize("name", CODINGS)
def test_zero_and_one_are_exact(name):
    coding, _ = CODINGS[name]
    np.testing.assert_array_equal(
        coding.decode(coding.encode(np.array([0.0, 1.0]))), [0, 1]
    )


def test_small_weights_keep_their_order_of_magnitude_in_one_byte():
    coding, _ = CODINGS["u8"]
    weights = np.array([1e-4, 1e-3, 1e-2])
    np.testing.assert_allclose(coding.decode(coding.encode(weights)), weights, rtol=0.4)


@pytest.mark.parametrize(
    ("count", "name"),
    [(0, "f32"), (50_000, "f32"), (50_001, "u16"), (10**6, "u16"), (10**6 + 1, "u8")],
)
def test_more_weights_are_stored_shorter(count, name):
    assert choose_coding(count).name == name


def test_weights_that_are_no_shares_are_stored_exactly():
    weights = np.array([-0.5, 2.0])
    assert not fits_levels(weights)
    assert choose_coding(10**7, fits=False).name == "f32"
    with pytest.raises(ValueError, match="between 0 and 1 for the coding u8"):
        CODINGS["u8"][0].encode(weights)


@given(
    st.dictionaries(
        st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_script_json_is_json_without_markup(value):
    text = script_json(value)
    assert json.loads(text) == value
    assert "<" not in text and ">" not in text and "&" not in text
    text.encode("utf-8")


def test_script_json_writes_out_what_reorders_or_breaks():
    written = script_json("<\u202e\u2028\ud800\x00\u200b я")
    assert written == '"\\u003c\\u202e\\u2028\\ud800\\u0000\\u200b я"'


def test_numbers_that_json_does_not_know_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([float("nan")])
