"""The page says how its maps were captured."""

import re

import keras
import numpy as np
import pytest

import regard

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
KEEP = np.array([[1, 1, 1], [1, 1, 0]], bool)


def facts_of(path):
    text = path.read_text("utf-8")
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))


@pytest.fixture(scope="module")
def layer():
    return keras.layers.MultiHeadAttention(2, 3, dropout=0.3, name="mha")


def test_inference_and_masks_are_said(layer, tmp_path):
    with regard.capture(layer) as maps:
        layer(X, X, value_mask=KEEP, use_causal_mask=True)
    path = tmp_path / "page.html"
    facts = facts_of(regard.report(maps, path=path))
    assert facts["mode"] == "inference" and facts["masks"] == "padding, causal"
    facts = facts_of(regard.report(maps, path=path, language="ru"))
    assert facts["режим"] == "предсказание" and facts["маски"] == "заполнение, будущее"


def test_training_is_said_with_a_word_on_dropout(layer, tmp_path):
    with regard.capture(layer) as maps:
        layer(X, X, training=True)
    path = tmp_path / "page.html"
    assert "dropout" in facts_of(regard.report(maps, path=path))["mode"]
    russian = facts_of(regard.report(maps, path=path, language="ru"))
    assert "дропаут" in russian["режим"]
    assert "masks" not in facts_of(regard.report(layer, X, X, path=path))
