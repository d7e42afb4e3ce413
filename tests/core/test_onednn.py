"""oneDNN's products are torch's, and so are what is built on them."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard
from regard.core.products import product

if keras.backend.backend() != "torch":
    pytest.skip("about torch", allow_module_level=True)

import torch

from regard.core.native import calls, onednn, walk

SHAPES = [(7, 5, 3), (1, 9, 1), (64, 1, 33), (300, 64, 50)]


def numbers(*shape, **options):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), **options)


@pytest.fixture
def everywhere(monkeypatch):
    """Small products and tables too."""
    monkeypatch.setattr(onednn, "WORTH", 1)
    monkeypatch.setattr(onednn, "FEW", 1)
    monkeypatch.setattr(walk, "WIDTH", 1)
    monkeypatch.setattr(walk, "TABLE", 1)
    monkeypatch.setattr(walk, "BLOCK", 1)
    monkeypatch.setattr(walk, "ROWS", 3)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
def test_this_torch_has_the_operation():
    assert onednn.is_usable(numbers(2, 2))


@pytest.mark.parametrize("then", ["none", "tanh"])
@pytest.mark.parametrize("rows, inner, columns", SHAPES)
def test_a_product_and_its_slopes_are_those_of_torch(
    rows, inner, columns, then, monkeypatch
):
    left, right, bias = numbers(rows, inner), numbers(columns, inner), numbers(columns)
    monkeypatch.setattr(onednn, "WORTH", 1)
    monkeypatch.setattr(onednn, "FEW", 1)
    tensors = [each.requires_grad_() for each in (left, right, bias)]
    exact = [each.detach().double().requires_grad_() for each in tensors]
    way = numbers(rows, columns)
    found = onednn.product(left, right.t(), bias, then)
    expected = exact[0] @ exact[1].t() + exact[2]
    expected = expected.tanh() if then == "tanh" else expected
    assert_allclose(found.detach(), expected.detach(), rtol=1e-5, atol=1e-5)
    slopes = torch.autograd.grad(found, tensors, way)
    wanted = torch.autograd.grad(expected, exact, way.double())
    for ours, theirs in zip(slopes, wanted, strict=True):
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "view",
    [
        lambda each: each[:, ::2],
        lambda each: each[::3, :8],
        lambda each: each.t()[:8, 4:],
        lambda each: each[:1].expand(5, -1),
    ],
)
def test_views_of_memory_are_multiplied_as_they_look(view):
    left = view(numbers(24, 16))
    right = numbers(6, left.shape[1])
    assert_allclose(onednn.multiplied(left, right), left @ right.t(), atol=1e-5)
    turned = numbers(6, left.shape[0])
    assert_allclose(onednn.multiplied(turned, left.t()), turned @ left, atol=1e-5)


@pytest.mark.parametrize("then", ["none", "tanh"])
def test_the_slope_of_a_slope_and_maps_over_a_batch(then, everywhere):
    left, right = numbers(4, 3).requires_grad_(), numbers(5, 3).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: (x @ right.double().t()).sin(), left.double()
    )
    (slope,) = torch.autograd.grad(
        onednn.product(left, right.t(), None, then).sin().sum(), left, create_graph=True
    )
    (second,) = torch.autograd.grad(slope.square().sum(), right)
    plain = left @ right.t()
    plain = plain.tanh() if then == "tanh" else plain
    (plain,) = torch.autograd.grad(plain.sin().sum(), left, create_graph=True)
    (wanted,) = torch.autograd.grad(plain.square().sum(), right)
    assert_allclose(second, wanted, rtol=1e-4, atol=1e-5)
    many = numbers(2, 4, 3)
    found = torch.vmap(lambda x: product(x, right.t()))(many).detach()
    assert_allclose(found, (many @ right.t()).detach(), atol=1e-5)


@pytest.mark.filterwarnings("ignore:TF32")
def test_only_float32_in_plain_calls_is_given_to_it():
    left = numbers(2, 2)
    assert not onednn.is_usable(left.double())
    assert not onednn.is_usable(left, left.bfloat16())
    assert not onednn.is_usable(left.to("meta"))
    assert not calls.is_plain(left.to("meta"))
    with torch.autocast("cpu"):
        assert not onednn.is_usable(left)
    with torch.backends.mkldnn.flags(enabled=False):
        assert not onednn.is_usable(left)


def outcome(layer, *inputs, **options):
    """The answer, and the slopes of inputs and weights."""
    tensors = [torch.tensor(each, requires_grad=True) for each in inputs]
    layer.zero_grad()
    found = layer(*tensors, **options)
    (
        found * torch.cos(torch.arange(found.numel())).reshape(found.shape)
    ).sum().backward()
    weights = [each.value.grad for each in layer.trainable_variables]
    return [found.detach(), *(each.grad for each in tensors), *weights]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("groups", [4, 2, 1])
def test_heads_are_read_as_by_the_kernel_of_torch(groups, padded, everywhere):
    rng = np.random.default_rng(3)
    query = rng.normal(size=(2, 7, 12)).astype("float32")
    value = rng.normal(size=(2, 8, 10)).astype("float32")
    options = {}
    if padded:  # one sequence is nothing but padding
        value[0, 5:] = np.nan
        options["value_mask"] = np.arange(8) < np.array([[5], [0]])
    layer = regard.layers.MultiHeadAttention(4, 3, num_key_value_heads=groups)
    layer(query, np.nan_to_num(value))
    ours = outcome(layer, query, value, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onednn, "_OPERATION", None)
        theirs = outcome(layer, query, np.nan_to_num(value), **options)
    assert torch.isfinite(ours[0]).all()
    for found, expected in zip(ours, theirs, strict=True):
        if not padded:
            assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_heads_are_mapped_over_more_axes(everywhere):
    layer = regard.layers.MultiHeadAttention(2, 3)
    many = numbers(3, 2, 7, 12)
    whole = layer(many.flatten(0, 1)).detach().unflatten(0, (3, 2))
    assert_allclose(torch.vmap(layer)(many).detach(), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "hiding",
    [
        {"use_causal_mask": True},
        {"attention_mask": np.tri(7, 8, 1, dtype=bool)},
        {"bias": np.linspace(-1, 1, 8, dtype="float32")},
    ],
)
def test_what_hides_or_moves_single_pairs_is_kept(hiding, everywhere):
    rng = np.random.default_rng(4)
    query = rng.normal(size=(2, 7, 12)).astype("float32")
    value = rng.normal(size=(2, 8, 10)).astype("float32")
    layer = regard.layers.MultiHeadAttention(4, 3)
    plain = layer(query, value).detach()
    ours = outcome(layer, query, value, **hiding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onednn, "_OPERATION", None)
        theirs = outcome(layer, query, value, **hiding)
    assert (ours[0] - plain).abs().max() > 1e-3
    for found, expected in zip(ours, theirs, strict=True):
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_projection_is_that_of_keras(everywhere):
    layer = regard.layers.MultiHeadAttention(2, 5, use_gate=True)
    inputs = np.random.default_rng(0).normal(size=(2, 3, 6)).astype("float32")
    layer(inputs)
    for dense, given in (
        (layer.gate_dense, inputs),
        (layer.output_dense, np.stack([inputs[..., :5]] * 2, 2)),
    ):
        expected = keras.layers.EinsumDense.call(dense, torch.tensor(given))
        assert_allclose(dense(given).detach(), expected.detach(), atol=1e-6)


def test_small_products_stay_with_torch():
    assert onednn.product(numbers(64, 32), numbers(32, 16)) is None
    assert onednn.product(numbers(700, 64), numbers(64, 256)) is not None
    large = product(numbers(7, 100, 64), numbers(64, 256))
    assert_allclose(large, numbers(7, 100, 64) @ numbers(64, 256), atol=1e-4)
