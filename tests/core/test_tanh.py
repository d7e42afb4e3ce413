"""tanh of many numbers on torch: values, and every gradient of torch's own."""

import numpy as np
import pytest

pytestmark = pytest.mark.backend("torch")


@pytest.fixture
def numbers():
    import torch

    from regard.core.native.tanh import MANY

    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=MANY), [0.0, 1e-4, -20, 20, 1e30, -np.inf]])
    return torch.tensor(x, dtype=torch.float32)


def test_values_are_those_of_tanh(numbers):
    import torch

    from regard.core.native.tanh import tanh

    found = tanh(torch.cat([numbers, torch.tensor([np.nan])]))
    np.testing.assert_allclose(found[:-1], torch.tanh(numbers.double()), atol=3e-7)
    assert bool(found[-1].isnan())


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_gradients_are_those_of_tanh(numbers):
    import torch

    from regard.core.native.tanh import tanh

    def gradients(function):
        x = numbers.clone().requires_grad_()
        first = torch.autograd.grad(function(x).sum(), x, create_graph=True)[0]
        second = torch.autograd.grad((first * first).sum(), x)[0]
        forward = torch.func.jvp(function, (numbers,), (torch.ones_like(numbers),))[1]
        return first.detach(), second, forward

    for one, other in zip(*map(gradients, (tanh, torch.tanh)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)


def test_it_maps_over_an_axis(numbers):
    import torch

    from regard.core.native.tanh import tanh

    rows = torch.stack([numbers, numbers / 2])
    np.testing.assert_allclose(torch.vmap(tanh)(rows), torch.tanh(rows), atol=3e-7)
