"""Walks over rows take equal blocks that hold all rows and no more scores than said."""

from hypothesis import given
from hypothesis import strategies as st

from regard.core.native.blocks import equal_rows

SIZES = st.integers(0, 300)


@given(SIZES, SIZES, st.integers(1, 5000), st.integers(1, 20))
def test_blocks_are_equal_small_and_as_few_as_may_be(length, memory, scores, fewest):
    rows = equal_rows(length, memory, scores, fewest)
    assert 1 <= rows <= max(1, length)
    assert rows * memory <= scores or rows <= fewest
    count = -(-length // rows)
    most = max(fewest, scores // max(memory, 1))
    assert count <= -(-length // most)
    # Equal but for less than a row each.
    assert count == 0 or count * rows - length < count
