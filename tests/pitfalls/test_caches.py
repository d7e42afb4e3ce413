"""Defects of other packages' caches, each with the case that shows it."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard import Window
from regard.core.positions import ALiBi, RoPE
from regard.layers import MultiHeadAttention
from regard.models import TransformerDecoder, TransformerDecoderBlock

X = np.random.default_rng(38).normal(size=(2, 6, 8)).astype("float32")


def numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def stepped(layer, x, capacity, **options):
    """Outputs of a layer, one place at a time."""
    if not layer.built:
        layer.build((None, None, x.shape[-1]))
    cache, outputs = layer.initial_cache(len(x), capacity, **options), []
    for at in range(x.shape[1]):
        output, cache = layer(x[:, at : at + 1], state=cache)
        outputs.append(numpy(output)[:, 0])
    return np.stack(outputs, axis=1)


def test_h1_a_gate_and_a_window_work_in_a_cache_too():
    layer = MultiHeadAttention(2, 4, use_gate=True, sliding_window=2)
    found = stepped(layer, X, 6)
    assert_allclose(found, numpy(layer(X, use_causal_mask=True)), rtol=1e-4, atol=1e-5)
    plain = MultiHeadAttention(2, 4)
    plain(X)
    names = ("query_dense", "key_dense", "value_dense", "output_dense")
    for name in names:
        weights = getattr(layer, name).get_weights()
        getattr(plain, name).set_weights(weights)
    assert np.abs(found - stepped(plain, X, 6)).max() > 1e-2


def test_h2_empty_slots_are_not_attended_to_without_any_mask():
    layer = MultiHeadAttention(2, 4)
    assert_allclose(stepped(layer, X, 6), stepped(layer, X, 60), rtol=1e-4, atol=1e-5)
    cache = layer.initial_cache(2, 60)
    _, weights, _ = layer(X[:, :1], state=cache, return_attention_scores=True)
    assert_allclose(numpy(weights)[..., 0], 1.0, atol=1e-6)


def test_h2_implicit_masks_of_a_prompt_are_honoured():
    words = keras.layers.Embedding(9, 8, mask_zero=True)
    layer = MultiHeadAttention(2, 4, position=RoPE())
    prompt = words(np.array([[3, 4, 0, 0]]))
    layer.build((None, None, 8))
    _, cache = layer(prompt, state=layer.initial_cache(1, 6))
    found, _ = layer(words(np.array([[5]])), state=cache)
    whole = layer(words(np.array([[3, 4, 5]])), use_causal_mask=True)
    assert_allclose(numpy(found)[:, 0], numpy(whole)[:, -1], rtol=1e-4, atol=1e-5)


def test_h3_writing_past_the_end_is_an_error():
    layer = MultiHeadAttention(2, 4)
    with pytest.raises(ValueError, match="capacity 5 that would hold 6"):
        stepped(layer, X, 5)


def test_a_window_looks_back_from_the_place_in_the_cache():
    """Not from the first slot, as where the cache's index is left out."""
    layer = MultiHeadAttention(2, 4, scope=Window(1))
    layer.build((None, None, 8))
    _, cache = layer(X[:, :4], state=layer.initial_cache(2, 8))
    _, weights, _ = layer(X[:, 4:5], state=cache, return_attention_scores=True)
    seen = (numpy(weights) > 0).all(axis=(0, 1, 2))
    assert seen.tolist() == [False, False, False, True, True, False, False, False]


@pytest.mark.parametrize("capacity", [6, 11])
def test_alibi_counts_from_the_query_however_long_the_cache_is(capacity):
    layer = MultiHeadAttention(2, 4, position=ALiBi())
    found = stepped(layer, X, capacity)
    assert_allclose(found, numpy(layer(X, use_causal_mask=True)), rtol=1e-4, atol=1e-5)


def test_left_padding_moves_no_position():
    layer = MultiHeadAttention(2, 4, position=RoPE(), scope=Window(2))
    layer.build((None, None, 8))
    keep = np.array([[False, False, True, True, True, True]])
    output, cache = layer(
        X[:1], state=layer.initial_cache(1, 3, ring=True), value_mask=keep
    )
    alone = numpy(layer(X[:1, 2:]))
    assert_allclose(numpy(output)[:, 2:], alone, rtol=1e-4, atol=1e-5)
    assert numpy(cache["position"]).tolist() == [4]


def test_no_cache_stays_on_a_layer_so_two_sequences_can_be_written_in_turns():
    block = TransformerDecoderBlock(MultiHeadAttention(2, 4, position=RoPE()), 12)
    stack = TransformerDecoder([block])
    stack(X)
    states = [stack.initial_state([{}], 1, 6) for _ in range(2)]
    outputs = [[], []]
    for at in range(6):
        for row in range(2):
            token = keras.ops.convert_to_tensor(X[row : row + 1, at])
            output, _, states[row] = stack.step(token, [{}], states[row])
            outputs[row].append(numpy(output))
    found = np.stack([np.concatenate(each) for each in outputs])
    assert_allclose(found, numpy(stack(X)), rtol=1e-4, atol=1e-5)
