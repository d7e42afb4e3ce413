"""Linear attention, the delta rule and retention: in chunks, step by step, in pairs.

All three forms are the same layer with the same weights. Step by step is Keras' RNN
over the recurrence; in pairs is the table of all positions, which the delta rule has
none of. For linear attention x-transformers' causal softmax attention stands beside.
"""

from __future__ import annotations

from benchmarks.contenders import of_layer, of_module, random_inputs
from benchmarks.harness import Cost, Goal, Work, unlike
from benchmarks.works.multi_head import weights_of
from benchmarks.works.peers.recurrences import in_pairs, step_by_step

HEADS, DIM = 4, 64
WIDTH = HEADS * DIM


def inputs_of(size):
    return random_inputs((1, size["length"], WIDTH))


def layer_of(kind):
    from regard import layers

    kinds = {
        "linear": layers.CausalLinearAttention,
        "delta": layers.DeltaAttention,
        "retention": layers.Retention,
    }
    return kinds[kind](HEADS, DIM)


def contender(kind, size, scan=None):
    layer = layer_of(kind)
    layer.build((1, size["length"], WIDTH))
    layer.set_weights(weights_of(layer))
    if scan is not None:

        def with_scan(parts, memory):
            if kind != "linear":
                return scan(parts), memory
            from keras import ops

            value = parts["value"]
            value = ops.concatenate([value, ops.ones_like(value[..., :1])], axis=-1)
            sums = scan({**parts, "value": value})
            return sums[..., :-1] / (sums[..., -1:] + layer.epsilon), memory

        layer.recur = with_scan
    return of_layer(layer, inputs_of(size))


def of_x_transformers(size):
    from x_transformers.x_transformers import Attention

    attention = Attention(dim=WIDTH, heads=HEADS, dim_head=DIM, causal=True)

    class Output(type(attention).__mro__[1]):  # torch's Module
        def __init__(self):
            super().__init__()
            self.attention = attention

        def forward(self, inputs):
            found = self.attention(inputs)
            return found[0] if isinstance(found, tuple) else found

    return unlike(of_module(Output(), inputs_of(size)))


def contenders(kind, backend, size):
    found = {"regard": lambda: contender(kind, size)}
    if size["length"] <= 8192:
        found["recurrent"] = lambda: contender(kind, size, step_by_step)
        if kind != "delta":
            found["quadratic"] = lambda: contender(kind, size, in_pairs)
        if kind == "linear" and backend == "torch":
            found["x-transformers"] = lambda: of_x_transformers(size)
    return found


def cost(size, action):
    """Projections, and for each position the memory written and read."""
    tokens, times = size["length"], 3 if action == "train" else 1
    products = 4 * 2 * tokens * WIDTH**2 + 2 * 2 * tokens * HEADS * DIM**2
    traffic = 4 * times * (2 * tokens * WIDTH + 4 * WIDTH**2)
    return Cost(times * products, traffic, tokens * WIDTH)


def goals(kind, backend):
    found = []
    for action in ("forward", "train"):
        found.append(Goal("speed", action, "recurrent", 5))
        if kind != "delta":
            found.append(Goal("speed", action, "quadratic"))
        if kind == "linear" and backend == "torch":
            found.append(Goal("speed", action, "x-transformers"))
        found.append(Goal("growth", action, bound=1.1))
    return found


def work(kind, title):
    return Work(
        name=kind,
        title=f"{title}, B=1, 4 heads of 64",
        sizes=({"length": 8192}, {"length": 16384}, {"length": 32768}),
        quick=({"length": 512}, {"length": 1024}),
        contenders=lambda backend, size: contenders(kind, backend, size),
        goals=lambda backend: goals(kind, backend),
        cost=cost,
        units=lambda size: float(size["length"]),
    )


WORKS = (
    work("linear", "causal linear attention"),
    work("delta", "the delta rule"),
    work("retention", "retention"),
)
