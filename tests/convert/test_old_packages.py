"""keras-self-attention, by its reference vectors: it does not import any more."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard

WEIGHTS = ("Wt", "Wx", "bh", "Wa", "ba")


def cases(shared):
    folder = shared / "golden"
    index = json.loads((folder / "index.json").read_text())["cases"]
    for case in index:
        if case["class"].endswith("SeqSelfAttention"):
            yield case, np.load(folder / case["file"])


def test_seq_self_attention(shared):
    tried = 0
    for case, arrays in cases(shared):
        names = [name for name in arrays.files if name.startswith("w.")]
        order = {name: i for i, name in enumerate(WEIGHTS)}
        names.sort(key=lambda name: order.get(name.split(".")[-1].split("_")[-1], 9))
        x = arrays["in.x"] if "in.x" in arrays.files else arrays["in.inputs"]
        config = {**case["constructor"], "faithful": True}
        layer = regard.convert.from_keras_self_attention(
            config, [arrays[name] for name in names], x.shape[-1]
        )
        mask = arrays["in.mask"] if "in.mask" in arrays.files else None
        found = layer(x, mask=mask)
        found = found[0] if isinstance(found, (tuple, list)) else found
        expected = arrays["out.v"]
        assert_allclose(
            keras.ops.convert_to_numpy(found), expected, rtol=1e-4, atol=1e-5
        )
        tried += 1
    assert tried >= 5


def test_a_wrong_class_or_shape_is_refused():
    with pytest.raises(ValueError, match="class_name must be one of"):
        regard.convert.from_keras_self_attention({"class_name": "Other"}, [], 4)
    with pytest.raises(ValueError, match="weights must have shapes"):
        regard.convert.from_keras_self_attention({"units": 3}, [np.zeros(3)], 4)
