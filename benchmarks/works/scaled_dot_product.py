"""Multi-head attention beside torch's own kernel in a plain torch model."""

from __future__ import annotations

from benchmarks.contenders import of_module
from benchmarks.harness import Goal, Work
from benchmarks.works import multi_head
from benchmarks.works.multi_head import HEADS


def of_torch(size):
    import torch

    import regard

    width = size["width"]

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value, self.output = (
                torch.nn.Linear(width, width) for _ in range(4)
            )

        def forward(self, inputs):
            batch, length, _ = inputs.shape
            query, key, value = (
                dense(inputs).view(batch, length, HEADS, -1).transpose(1, 2)
                for dense in (self.query, self.key, self.value)
            )
            attend = torch.nn.functional.scaled_dot_product_attention
            context = attend(query, key, value).transpose(1, 2)
            return self.output(context.reshape(batch, length, width))

    model = Model()
    weights = multi_head.weights_of(multi_head.layer_of(regard.layers, size))
    denses = (model.query, model.key, model.value, model.output)
    with torch.no_grad():
        for dense, kernel, bias in zip(
            denses, weights[::2], weights[1::2], strict=True
        ):
            dense.weight.copy_(torch.tensor(kernel.reshape(width, width).T))
            dense.bias.copy_(torch.tensor(bias.reshape(width)))
    return of_module(model, multi_head.inputs_of(size))


def goals(backend):
    bound = {"torch": 0.9, "jax": 1 / 1.3}.get(backend)
    return [
        Goal("speed", "forward", "torch", bound),
        Goal("speed", "train", "torch", bound),
        Goal("memory", "forward", "torch"),
        Goal("memory", "train", "torch"),
    ]


WORK = Work(
    name="scaled_dot_product",
    title="multi-head attention and torch's scaled_dot_product_attention",
    sizes=multi_head.WORK.sizes,
    quick=multi_head.WORK.quick[1:],
    contenders=lambda backend, size: {
        "regard": lambda: multi_head.ours(size),
        "torch": lambda: of_torch(size),
    },
    goals=goals,
    cost=multi_head.cost,
    error=multi_head.wrong,
    memory=True,
)
