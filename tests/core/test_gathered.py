"""Products in loops on torch: their gradients, once and twice, are those of torch."""

from contextlib import nullcontext

import pytest

pytestmark = pytest.mark.backend("torch")
LENGTH = 3


def plain(left, right, bias=None):
    found = left @ right
    return found if bias is None else found + bias


def recurrence(inputs, state, kernel, inner, bias, product=None):
    """h = tanh(x W + b + h U), and what h finds of the inputs; U is there twice."""
    import torch

    from regard.core.native import gathered

    product = product or gathered.product
    places, shown = inputs.mT, []
    with nullcontext() if product is plain else gathered.gathering():
        for place in range(LENGTH):
            read = product(inputs[:, place : place + 1], kernel, bias)[:, 0]
            state = torch.tanh(read + product(state, inner))
            again = product(state, inner)
            shown += [state, again, product(again[:, None], places)[:, 0]]
    return torch.cat(shown, -1)


@pytest.fixture
def given():
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = [(2, LENGTH, 2), (2, 2), (2, 2), (2, 2), (2,)]
    options = {"generator": generator, "dtype": torch.float64, "requires_grad": True}
    return [torch.randn(shape, **options) for shape in shapes]


def test_gradients_are_those_of_differences(given):
    import torch

    assert torch.autograd.gradcheck(recurrence, given)
    assert torch.autograd.gradgradcheck(recurrence, given)


@pytest.mark.parametrize("asked", [(0,), (2,), (1, 4), (0, 1, 2, 3, 4)])
def test_every_part_of_the_gradient_can_be_asked_for(given, asked):
    import torch

    found, wanted = (
        torch.autograd.grad(
            recurrence(*given, product=product).square().sum(),
            [given[number] for number in asked],
        )
        for product in (None, plain)
    )
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_pass_that_asked_for_no_weight_leaves_nothing_behind(given):
    import torch

    found = recurrence(*given)
    wanted = torch.autograd.grad(found[:, 0].sum(), given[2], retain_graph=True)
    torch.autograd.grad(found.sum(), given[0], retain_graph=True)
    again = torch.autograd.grad(found[:, 0].sum(), given[2])
    torch.testing.assert_close(again, wanted)


def test_large_products_are_those_of_torch():
    """Of as many rows as oneDNN is asked for."""
    import torch

    from regard.core.native.onednn import WORTH

    generator = torch.Generator().manual_seed(1)
    rows, width = 64, 256
    assert rows * width * width >= WORTH
    shapes = [(rows, LENGTH, width), (rows, width), *[(width, width)] * 2, (width,)]
    given = [
        (torch.randn(shape, generator=generator) / 16).requires_grad_()
        for shape in shapes
    ]
    values, exact = recurrence(*given), recurrence(*given, product=plain)
    torch.testing.assert_close(values, exact, rtol=1e-5, atol=1e-5)
    found, wanted = (
        torch.autograd.grad(each.square().sum(), given) for each in (values, exact)
    )
    for one, other in zip(found, wanted, strict=True):
        largest = other.abs().max()
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5 * float(largest))


def test_outside_of_loops_and_in_transformations_torch_multiplies(given):
    import torch

    from regard.core.native import gathered

    assert gathered.product(given[1], given[2]) is None
    with gathered.gathering():
        assert gathered.product(given[1], given[2].float()) is None
        assert gathered.product(given[1], given[2].detach()) is None
        with torch.no_grad():
            assert gathered.product(given[1], given[2]) is None

        def inside(x):
            assert gathered.product(x, given[2]) is None
            return x.sum()

        torch.func.grad(inside)(given[1])
