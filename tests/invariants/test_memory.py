"""D13-D16, S15, S17: memories of slots, hops and patterns."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers
from regard.core import addressing
from regard.core.allocation import allocation, followed, linked, preceding, used
from tests.invariants.tools import numpy, random, randomized, read, weigh, with_weights

MEMORY, KEY, BEFORE = random(1, 2, 5, 3), random(2, 2, 1, 3), random(3, 2, 1, 5)
BEFORE = np.exp(BEFORE) / np.exp(BEFORE).sum(-1, keepdims=True)


def tensors(**arrays):
    return {
        n: keras.ops.convert_to_tensor(np.asarray(x, "float32"))
        for n, x in arrays.items()
    }


def head(gate, shifts, power, strength=2.0):
    def numbers(value):
        return np.full((2, 1, 1), value, "float32")

    return tensors(
        key=KEY,
        strength=numbers(strength),
        gate=numbers(gate),
        shifts=np.broadcast_to(np.asarray(shifts, "float32"), (2, 1, len(shifts))),
        power=numbers(power),
    )


def address(**options):
    given = tensors(memory=MEMORY, before=BEFORE)
    found = addressing.addressed(given["memory"], given["before"], head(**options))
    return numpy(found)


def test_d13_without_gate_shift_and_power_it_is_content():
    cosines = np.einsum("brm,bnm->brn", KEY, MEMORY)
    cosines /= np.linalg.norm(KEY, axis=-1)[..., None]
    cosines /= np.linalg.norm(MEMORY, axis=-1)[:, None]
    content = weigh("softmax", 2.0 * cosines)
    assert_allclose(address(gate=1, shifts=[0, 1, 0], power=1), content, atol=1e-6)


def test_d13_a_sure_shift_rotates_the_weights_before():
    up = address(gate=0, shifts=[0, 0, 1], power=1)
    assert_allclose(up, np.roll(BEFORE, 1, axis=-1), atol=1e-6)
    down = address(gate=0, shifts=[1, 0, 0], power=1)
    assert_allclose(down, np.roll(BEFORE, -1, axis=-1), atol=1e-6)
    assert np.abs(up - down).max() > 0.1  # control: the direction matters
    far = address(gate=0, shifts=[0, 0, 0, 0, 1], power=1)
    assert_allclose(far, np.roll(BEFORE, 2, axis=-1), atol=1e-6)


def test_d14_sharpening_without_end_is_one_hot():
    sharp = address(gate=0, shifts=[0, 1, 0], power=1e4)
    assert_array_equal(sharp, np.eye(5)[BEFORE.argmax(-1)].astype("float32"))
    assert_allclose(sharp.sum(-1), 1)


def test_d14_control_plain_powers_underflow():
    with np.errstate(invalid="ignore", under="ignore"):
        powers = BEFORE.astype("float32") ** np.float32(1e4)
        assert np.isnan(powers / powers.sum(-1, keepdims=True)).all()


def test_writing_erases_before_it_adds_and_one_hot_writing_replaces_a_slot():
    weights = np.eye(5)[[[1], [3]]].astype("float32")
    ones, new = np.ones((2, 1, 3), "float32"), random(4, 2, 1, 3)
    given = tensors(memory=MEMORY, weights=weights, erase=ones, add=new)
    after = numpy(addressing.written(*given.values()))
    expected = MEMORY.copy()
    expected[0, 1], expected[1, 3] = new[0, 0], new[1, 0]
    assert_allclose(after, expected, atol=1e-6)


def test_d15_a_free_slot_takes_all_and_the_total_is_what_is_free():
    usage = np.array([[0.3, 0.0, 0.9, 0.5, 0.7], [0.3, 0.2, 0.9, 0.5, 0.7]], "float32")
    given = tensors(usage=usage)["usage"]
    weights = numpy(allocation(given))
    assert_array_equal(weights[0], [0, 1, 0, 0, 0])
    assert_allclose(weights.sum(-1), 1 - usage.prod(-1), atol=1e-6)
    assert_allclose(numpy(allocation(given * 0))[0], [1, 0, 0, 0, 0])
    full = numpy(allocation(given * 0 + 1))
    assert_array_equal(full, np.zeros((2, 5)))


def test_the_links_lead_along_the_order_of_writing():
    order, zero = [2, 0, 4, 1], np.zeros((1, 5))
    state = tensors(links=np.zeros((1, 5, 5)), last=zero, usage=zero)
    for slot in order:
        wrote = tensors(w=np.eye(5)[[slot]])["w"]
        state["links"] = linked(state["links"], state["last"], wrote)
        state["last"] = preceding(state["last"], wrote)
        nothing = tensors(reads=np.zeros((1, 1, 5)), free=np.zeros((1, 1, 1)))
        state["usage"] = used(state["usage"], wrote, *nothing.values())
    for before, after in pairwise(order):
        here = tensors(w=np.eye(5)[[[after]]], v=np.eye(5)[[[before]]])
        backward, _ = followed(state["links"], here["w"])
        _, forward = followed(state["links"], here["v"])
        assert numpy(backward).argmax() == before and numpy(forward).argmax() == after
    assert_array_equal(numpy(state["usage"])[0], [1, 1, 1, 0, 1])


@pytest.mark.parametrize("tying", ["adjacent", "layer_wise", None])
def test_d16_a_hop_is_key_value_attention_and_a_residual(tying):
    query, memory = random(5, 2, 3, 4), random(6, 2, 5, 7)
    layer = randomized(layers.MemoryNetwork(6, 1, tying=tying), query, memory)
    asked = query @ numpy(layer.query_kernel.value)
    keys, values = (memory @ numpy(each[0].value) for each in layer.embeddings)
    context, weights = read(layers.DotAttention(), asked, values, keys)
    if tying == "layer_wise":
        asked = asked @ numpy(layer.hop_kernel.value)
    output, shown = read(layer, query, memory)
    assert_allclose(shown[:, 0], weights, rtol=1e-4, atol=1e-5)
    assert_allclose(output, asked + context, rtol=1e-4, atol=1e-4)


def test_d16_two_hops_are_one_hop_asked_again():
    query, memory = random(5, 2, 3, 6), random(6, 2, 5, 7)
    two = randomized(layers.MemoryNetwork(6, 2), query, memory)
    kernels = [numpy(each[0].value) for each in two.embeddings]
    asked = query
    for first, second, start in zip(
        kernels, kernels[1:], (numpy(two.query_kernel.value), np.eye(6)), strict=False
    ):
        one = layers.MemoryNetwork(6, 1)
        one(asked, memory)
        one.set_weights([start, first, second])
        asked = numpy(one(asked, memory))
    assert_allclose(numpy(two(query, memory)), asked, rtol=1e-4, atol=1e-4)


def test_s15_one_hopfield_update_is_attention_with_the_patterns_as_values():
    state, patterns = random(7, 2, 3, 4), random(8, 2, 5, 4)
    found, weights = read(layers.HopfieldAttention(beta=0.7), state, patterns)
    scaled, expected = read(layers.DotAttention(), 0.7 * state, patterns)
    assert_allclose(found, scaled, rtol=1e-5, atol=1e-6)
    assert_allclose(weights[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_s15_more_updates_are_attention_asked_again():
    state, patterns = random(7, 2, 3, 4), random(8, 2, 5, 4)
    values, once = random(9, 2, 5, 6), layers.HopfieldAttention(beta=0.7)
    moved = numpy(once(numpy(once(state, patterns)), patterns))
    expected = numpy(once(moved, values, patterns))
    thrice = layers.HopfieldAttention(beta=0.7, updates=3)
    assert_allclose(numpy(thrice(state, values, patterns)), expected, atol=1e-5)


def test_s17_orthonormal_keys_and_great_sharpness_are_an_exact_lookup():
    keys, _ = np.linalg.qr(random(10, 6, 6))
    keys, values = keys[None].astype("float32"), random(11, 1, 6, 4)
    layer = layers.HopfieldAttention(beta=1e4)
    assert_array_equal(numpy(layer(keys[:, ::-1], values, keys)), values[:, ::-1])
    damaged = keys + 0.1 * random(12, 1, 6, 6)
    found = numpy(layers.HopfieldAttention(beta=30.0, updates=4)(damaged, keys))
    assert_allclose(found, keys, atol=1e-3)
    blurred = numpy(layers.HopfieldAttention(beta=1e-3, updates=4)(damaged, keys))
    assert np.abs(blurred - keys.mean(1)).max() < 0.01  # control: a small beta averages


def test_external_attention_reads_one_memory_whatever_the_other_examples_are():
    x = random(13, 2, 5, 6)
    layer = randomized(layers.ExternalAttention(4), x)
    output, weights = read(layer, x)
    assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert_allclose(numpy(layer(x[:1])), output[:1], rtol=1e-5, atol=1e-6)
    one = with_weights(layers.ExternalAttention(1), x, value_kernel=np.ones((1, 6)))
    assert_allclose(numpy(one(x)), np.ones_like(x), rtol=1e-6)


def memorizing(gate, neighbours=3):
    query, near = random(14, 2, 3, 4), random(15, 2, 5, 6)
    layer = randomized(layers.MemorizingAttention(2, 3, neighbours), query, near)
    layer.memory_gate.assign(np.full(2, gate))
    return layer, query, near


def test_a_closed_gate_and_an_empty_memory_are_multi_head_attention():
    layer, query, near = memorizing(-80.0)
    far = layer.entries(keras.ops.convert_to_tensor(random(16, 2, 7, 6)))
    memory = {"memory_key": far[0], "memory_value": far[1]}
    heads = layers.MultiHeadAttention(2, 3)
    heads(query, near)
    heads.set_weights([numpy(w.value) for w in layer.weights if "gate" not in w.name])
    expected = numpy(heads(query, near))
    assert_allclose(numpy(layer(query, near, **memory)), expected, atol=1e-5)
    layer.memory_gate.assign(np.full(2, 80.0))
    assert_allclose(numpy(layer(query, near)), expected, atol=1e-5)
    empty = np.array([[False] * 7, [True] * 7])
    mixed = numpy(layer(query, near, **memory, memory_mask=empty))
    assert_allclose(mixed[0], expected[0], atol=1e-5)
    assert np.abs(mixed[1] - expected[1]).max() > 0.01  # control


def test_with_every_neighbour_and_an_open_gate_the_memory_is_what_is_near():
    layer, query, near = memorizing(80.0, neighbours=9)
    far = layer.entries(keras.ops.convert_to_tensor(near))
    found = numpy(
        layer(query, random(17, 2, 5, 6), memory_key=far[0], memory_value=far[1])
    )
    assert_allclose(found, numpy(layer(query, near)), rtol=1e-4, atol=1e-4)
    spoilt = [np.where(np.arange(5) < 4, 0, np.nan)[:, None] + numpy(x) for x in far]
    mask = np.broadcast_to(np.arange(5) < 4, (2, 5))
    hidden = layer(
        query,
        near,
        memory_key=spoilt[0].astype("float32"),
        memory_value=spoilt[1].astype("float32"),
        memory_mask=mask,
    )
    assert np.isfinite(numpy(hidden)).all()
    with pytest.raises(ValueError, match="memory_value must have shape"):
        layer(query, near, memory_key=far[0])
