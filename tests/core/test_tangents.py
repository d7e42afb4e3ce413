"""Derivatives taken forwards on torch, and maps, where calls have ways of their own."""

import keras
import pytest

import regard

pytestmark = [
    pytest.mark.backend("torch"),
    pytest.mark.filterwarnings("ignore:There is a performance drop"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]
LAYERS = regard.layers


def decoder(cell):
    return LAYERS.AttentionDecoder(LAYERS.AdditiveAttention(units=5), cell(6))


MADE = {
    "walk over heads": lambda: LAYERS.MultiHeadAttention(2, 3),
    "powers": lambda: LAYERS.AdditiveAttention(units=5),
    "products": lambda: LAYERS.ContextPooling(5),
    "GRU": lambda: decoder(keras.layers.GRUCell),
    "LSTM": lambda: decoder(keras.layers.LSTMCell),
}


@pytest.fixture(params=MADE)
def layer(request, monkeypatch):
    """It takes its own way for every size."""
    from regard.core.additive import torch as powers
    from regard.core.native import onednn, tanh, walk

    for module, names in ((onednn, ("WORTH", "FEW")), (walk, ("WIDTH", "TABLE"))):
        for name in names:
            monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(tanh, "MANY", 1)
    monkeypatch.setattr(powers, "LEAST", 1)
    return MADE[request.param]()


@pytest.fixture
def given(layer):
    """Inputs, which the layer was built for."""
    shapes = [(2, 4, 8), (2, 5, 8)][: 1 if "pooling" in layer.name else 2]
    tensors = drawn(shapes)
    layer(*tensors)
    return tensors


def drawn(shapes):
    import torch

    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def agree(tangent, function, given, ways):
    """<w, J t> = <J' w, t>: forwards is what backwards is, in many directions w."""
    import torch

    given = [each.detach().requires_grad_() for each in given]
    found = function(*given)
    for way in drawn([(4, *found.shape)])[0]:
        slopes = torch.autograd.grad(found, given, way, retain_graph=True)
        pairs = zip(slopes, ways, strict=True)
        expected = sum((slope * way).double().sum() for slope, way in pairs)
        product = (tangent.detach() * way).double().sum()
        torch.testing.assert_close(product, expected, rtol=1e-4, atol=1e-5)


def tangents(function, given, ways):
    """By ``torch.func``, and by dual numbers with and without gradients."""
    import torch
    from torch.autograd import forward_ad

    found = [torch.func.jvp(function, tuple(given), tuple(ways))[1]]
    for mode in (torch.enable_grad, torch.no_grad):
        with forward_ad.dual_level(), mode():
            called = function(*map(forward_ad.make_dual, given, ways))
            found.append(forward_ad.unpack_dual(called).tangent)
    return found


def test_tangents_of_inputs_are_what_gradients_say(layer, given):
    ways = [each.cos() for each in given]
    for tangent in tangents(layer, given, ways):
        agree(tangent, layer, given, ways)


def test_tangents_of_weights_are_what_gradients_say(layer, given):
    """A loop keeps the gradients of its weights apart."""

    def called(*weights):
        return layer.stateless_call(weights, layer.non_trainable_variables, *given)[0]

    weights = [each.value.detach() for each in layer.trainable_variables]
    ways = [(each + 1).cos() for each in weights]
    for tangent in tangents(called, weights, ways):
        agree(tangent, called, weights, ways)


def test_what_is_hidden_has_tangents():
    layer = LAYERS.MultiHeadAttention(2, 3)
    given = drawn([(2, 4, 8), (2, 5, 8)])
    layer(*given)
    ways = [each.cos() for each in given]

    def causal(*inputs):
        return layer(*inputs, use_causal_mask=True)

    for tangent in tangents(causal, given, ways):
        agree(tangent, causal, given, ways)


def test_a_bias_of_zeros_that_moves_is_not_left_out():
    layer = LAYERS.MultiHeadAttention(2, 3)
    inputs, bias = drawn([(2, 4, 8), (2, 1, 1, 4)])
    layer(inputs)

    def moved(bias):
        return layer(inputs, bias=bias)

    for tangent in tangents(moved, [0 * bias], [bias]):
        assert tangent.abs().max() > 1e-3
        agree(tangent, moved, [0 * bias], [bias])


@pytest.mark.parametrize("options", [{}, {"use_causal_mask": True}])
def test_calls_are_mapped_over_one_axis_more(layer, given, options):
    import torch

    if options and "multi_head" not in layer.name:
        options = {}
    many = [torch.stack([each, each.flip(0) / 2]) for each in given]
    whole = [layer(*each, **options) for each in zip(*many, strict=True)]
    found = torch.vmap(lambda *each: layer(*each, **options))(*many)
    torch.testing.assert_close(found, torch.stack(whole), rtol=1e-4, atol=1e-5)


def test_gradients_of_torch_func_are_those_of_autograd(layer, given):
    import torch

    found = torch.func.grad(lambda *inputs: layer(*inputs).sin().sum())(*given)
    first = given[0].clone().requires_grad_()
    layer(first, *given[1:]).sin().sum().backward()
    torch.testing.assert_close(found, first.grad, rtol=1e-4, atol=1e-5)
