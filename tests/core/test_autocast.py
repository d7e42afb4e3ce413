"""Calls and training inside ``torch.autocast``: near to those outside, in float32."""

import keras
import pytest

from tests.core.test_tangents import MADE

pytestmark = pytest.mark.backend("torch")


@pytest.fixture(params=MADE)
def layer(request, monkeypatch):
    from regard.core.additive import torch as powers

    monkeypatch.setattr(powers, "LEAST", 1)
    return MADE[request.param]()


@pytest.mark.parametrize("all_inside", [False, True])
def test_halves_inside_leave_answers_and_gradients_whole(layer, all_inside):
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 4, 8), (2, 5, 8)][: 1 if "pooling" in layer.name else 2]
    given = [torch.randn(shape, generator=generator) for shape in shapes]
    expected = layer(*given)
    weights = [each.value for each in layer.trainable_variables]
    wanted = torch.autograd.grad(expected.square().sum(), weights)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(*given)
        loss = found.square().sum()
        if all_inside:
            slopes = torch.autograd.grad(loss, weights)
    if not all_inside:
        slopes = torch.autograd.grad(loss, weights)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    pairs = zip((found, *slopes), (expected, *wanted), strict=True)
    for tensor, exact in pairs:  # a half has eight bits
        assert (tensor - exact).norm() < 0.05 * (1 + exact.norm())
