"""Captured maps leave as dicts, tables and files, and come back."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard import layers
from regard.seeing.maps import Maps

X = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
KEEP = np.arange(5) < np.array([[5], [3]])


@pytest.fixture(params=[None, [1, 4]], ids=["whole", "rows"])
def maps(request):
    layer = layers.MultiHeadAttention(2, 3, name="heads")
    return regard.attend_to(layer, X, value_mask=KEEP, rows=request.param)


def test_a_file_comes_back_as_it_was(maps, tmp_path):
    path = maps.save(tmp_path / "seen")
    again = Maps.load(path)
    assert list(again) == list(maps)
    (before,), (after,) = maps.values(), again.values()
    assert len(before) == len(after) == 1
    left, right = dict(before[0].arrays()), dict(after[0].arrays())
    assert left.keys() == right.keys() and "weights" in left
    for name, array in left.items():
        assert_array_equal(right[name], array)
    assert after[0].masks.keys() == before[0].masks.keys()
    assert_array_equal(again["heads"].weights, maps["heads"].weights)
    assert after[0].mechanism == "multi_head" and after[0].layer == before[0].layer
    for group in ("masks", "extra", "inputs", "parameters"):
        mine, theirs = getattr(before[0], group), getattr(after[0], group)
        assert list(mine) == list(theirs)
        for name, array in mine.items():
            assert_array_equal(theirs[name], array)
    assert after[0].parameters and after[0].settings["num_heads"] == 2


def test_a_dict_goes_through_json(maps):
    found = json.loads(json.dumps(maps.to_dict()))
    assert_allclose(found["heads"][0]["weights"], maps["heads"].weights, rtol=1e-6)
    assert found["heads"][0]["mechanism"] == "multi_head"


def test_a_table_has_a_line_for_each_visible_pair(maps):
    pytest.importorskip("pandas", reason="pandas is not installed")
    table = maps.to_dataframe()
    rows = maps["heads"].extra.get("rows", np.arange(5))
    assert len(table) == 2 * len(rows) * (5 + 3)
    assert set(table["query"]) == set(rows.tolist())
    sums = table.groupby(["layer", "call", "example", "head", "query"])["weight"].sum()
    assert_allclose(sums, 1, atol=1e-6)
    assert {"score", "key"} <= set(table)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "other.npz"
    if content is None:
        np.savez(path, weights=X)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"path must name a file that Maps.save wrote"):
        Maps.load(path)


def test_a_table_counts_heads_as_the_layer_does():
    pytest.importorskip("pandas", reason="pandas is not installed")
    layer = layers.MultiHeadAttention(3, 3, name="heads")
    table = regard.attend_to(layer, X, rows=-1, heads=[2]).to_dataframe()
    assert set(table["head"]) == {2} and set(table["query"]) == {4}
