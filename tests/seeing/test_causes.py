"""A joined mask is taken apart by what it hides, and by nothing else."""

import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_array_equal

import regard
from regard.seeing.causes import told_apart

RNG = np.random.default_rng(0)
KEEP = np.arange(6) < np.array([[6], [4]])
CAUSAL = np.tri(6, dtype=bool)
OTHER = RNG.random((2, 1, 6, 6)) < 0.6
OTHER[..., 0] = True
SIZES = {
    **{"vocabulary_size": 30, "num_layers": 1, "num_heads": 2, "hidden_dim": 8},
    **{"intermediate_dim": 12, "max_sequence_length": 16},
}


def parts_of(mask, *paddings):
    return told_apart({"user": mask}, list(paddings))


def test_what_hides_the_same_keys_as_the_padding_input_is_padding():
    for mask in (
        KEEP[:, None, None],
        np.broadcast_to(KEEP[:, None, None], (2, 3, 6, 6)),
    ):
        parts = parts_of(mask, KEEP)
        assert list(parts) == ["padding"]
        assert_array_equal(parts["padding"], KEEP[:, None, None])


def test_both_are_told_apart_where_nothing_else_hides():
    parts = parts_of(KEEP[:, None, None] & CAUSAL, KEEP)
    assert list(parts) == ["padding", "causal"]
    assert_array_equal(parts["causal"][0, 0], CAUSAL)
    assert list(parts_of(CAUSAL[None, None])) == ["causal"]
    late = np.tri(2, 6, 4, dtype=bool)[None, None]  # the last two of six queries
    assert list(parts_of(late)) == ["causal"]


def test_what_is_not_known_stays_of_the_user():
    assert list(parts_of(KEEP[:, None, None])) == ["user"]  # no padding input
    assert list(parts_of(KEEP[:, None, None], KEEP[::-1])) == ["user"]
    assert list(parts_of(KEEP[:, None, None], KEEP[:, :5])) == ["user"]
    assert list(parts_of(OTHER, np.ones((2, 6), bool))) == ["user"]
    one = np.array([True, *[False] * 5])[None, None, None]
    assert list(parts_of(one)) == ["user"]  # one query, which is never called causal


def band(before, after, queries=6):
    """(1, 1, T, 6): so many keys before the place of the query, and after it."""
    far = np.arange(6) - np.arange(6)[-queries:, None]
    return ((far >= -before) & (far <= after))[None, None]


@pytest.mark.parametrize("queries", [6, 4])
def test_a_window_is_told_from_the_triangle_and_the_padding(queries):
    late = band(2, 0, queries)
    for mask, paddings in ((late, []), (late & KEEP[:, None, None], [KEEP])):
        parts = parts_of(mask, *paddings)
        assert list(parts) == ["padding"] * len(paddings) + ["causal", "window"]
        assert_array_equal(parts["causal"], band(6, 0, queries))
        assert_array_equal(parts["window"], band(2, 6, queries))
    parts = parts_of(band(2, 1, queries) & KEEP[:, None, None], KEEP)
    assert list(parts) == ["padding", "window"]
    assert_array_equal(parts["window"], band(2, 1, queries))


def test_other_bands_are_no_windows():
    for mask in (band(0, 0), band(-1, 3), band(6, 2), band(2, 2) & OTHER):
        assert list(parts_of(mask)) == ["user"]
    assert list(parts_of(np.ones((1, 1, 0, 6), bool))) == []
    assert list(parts_of(np.ones((1, 1, 6, 0), bool))) == []


@pytest.mark.parametrize("width", [2, 3])
def test_sliding_windows_of_keras_and_ours_are_named(width):
    x = RNG.normal(size=(2, 6, 4)).astype("float32")
    for layer in (
        layers.GroupQueryAttention(4, 4, 2, sliding_window=width),
        regard.layers.GroupedQueryAttention(4, 4, 2, sliding_window=width),
        regard.layers.DotAttention(scope=regard.Window(width - 1, width - 1)),
    ):
        ((trace,),) = regard.attend_to(layer, x, x).values()
        assert list(trace.masks) == ["window"]
        window = np.broadcast_to(trace.masks["window"], (2, 1, 6, 6))
        assert_array_equal(window[:1], band(width - 1, width - 1))
        assert regard.explain(trace, query=2).passed


def test_a_mask_that_hides_more_than_padding_has_two_causes():
    mask = OTHER & KEEP[:, None, None]
    parts = parts_of(mask, KEEP)
    assert list(parts) == ["padding", "user"]
    assert_array_equal(parts["user"], mask)


def test_causes_that_are_known_already_are_joined():
    first = np.array([[True] * 3 + [False] * 3] * 2)[:, None, None]
    parts = told_apart({"padding": first, "user": KEEP[:, None, None]}, [KEEP])
    assert list(parts) == ["padding"]
    assert_array_equal(parts["padding"], first & KEEP[:, None, None])


class Block(layers.Layer):
    """Joins its masks before attention sees them."""

    def __init__(self):
        super().__init__(name="block")
        self.heads = layers.MultiHeadAttention(2, 4, name="heads")

    def call(self, inputs, padding_mask=None, attention_mask=None):
        mask = ops.cast(padding_mask[:, None], "bool")
        if attention_mask is not None:
            mask = mask & ops.cast(attention_mask, "bool")
        return self.heads(inputs, inputs, attention_mask=mask)


def test_blocks_of_ones_own_are_seen_through():
    block, given = Block(), RNG.normal(size=(2, 6, 8)).astype("float32")
    causal = np.broadcast_to(CAUSAL, (2, 6, 6))
    with regard.capture(block) as maps:
        block(given, padding_mask=KEEP)
        block(given, KEEP, attention_mask=causal)
        block(given, KEEP, attention_mask=OTHER[:, 0])
        block.heads(given, given, attention_mask=KEEP[:, None])  # of nobody's padding
    causes = [list(each.masks) for each in maps[next(iter(maps))]]
    assert causes == [["padding"], ["padding", "causal"], ["padding", "user"], ["user"]]
    assert "call" not in vars(block)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["Bert", "GPT2"])
def test_padding_of_keras_hub_is_padding(name):
    hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")
    model = getattr(hub.models, f"{name}Backbone")(**SIZES)
    ids = RNG.integers(1, 30, size=(2, 6))
    given = {"token_ids": ids, "padding_mask": KEEP.astype("int32")}
    if name == "Bert":
        given["segment_ids"] = np.zeros_like(ids)
    with regard.capture(model) as maps:
        model.predict(given, batch_size=1, verbose=0)
    (calls,) = maps.values()
    (trace,) = calls
    causes = ["padding"] if name == "Bert" else ["padding", "causal"]
    assert sorted(trace.masks) == sorted(causes)
    padding = np.broadcast_to(trace.masks["padding"], (2, 1, 1, 6))
    assert_array_equal(padding[:, 0, 0], KEEP)


@pytest.mark.parametrize("query", ["previous_state", "new_state"])
def test_the_window_of_a_decoders_attention_is_named_and_explained(query):
    x = RNG.normal(size=(2, 6, 4)).astype("float32")
    attention = regard.layers.AdditiveAttention(5, scope=regard.Window(2, 1))
    layer = regard.layers.AttentionDecoder(attention, layers.GRUCell(4), query)
    ((trace,),) = regard.attend_to(layer, x, x).values()
    window = np.broadcast_to(trace.masks["window"], (2, 1, 6, 6))
    assert_array_equal(window[:1], band(2, 1))
    checks = [step.check for step in regard.explain(trace, query=3) if step.check]
    assert "masks.window" in [each.what for each in checks]
    assert all(each.passed for each in checks)
