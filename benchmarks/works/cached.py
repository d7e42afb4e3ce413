"""One more token of causal decoding, with the keys and values before it in a cache."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import numpy_of, random_inputs
from benchmarks.harness import Contender, Cost, Goal, Work
from benchmarks.stepping import compiled_step
from benchmarks.works.multi_head import weights_of

BATCH, HEADS, WIDTH = 1, 8, 512


def layer_of(make, size):
    layer = make(HEADS, WIDTH // HEADS)
    layer.build(*[(BATCH, size["context"], WIDTH)] * 2)
    layer.set_weights(weights_of(layer))
    return layer


def tokens_of(size):
    """All that came before, and the token that comes, which stands last."""
    return random_inputs((BATCH, size["context"], WIDTH))[0]


def ours(size):
    """The cache is filled by the tokens before; every run adds the same token."""
    from keras import ops

    from regard.layers import MultiHeadAttention

    layer, tokens = layer_of(MultiHeadAttention, size), tokens_of(size)
    cache = layer.initial_cache(BATCH, size["context"])
    _, cache = layer(ops.convert_to_tensor(tokens[:, :-1]), state=cache)
    position = numpy_of(cache.pop("position"))

    def step(token, kept):
        place = ops.convert_to_tensor(position)
        output, after = layer(token, state={**kept, "position": place})
        return output, {name: after[name] for name in kept}

    return stepping(layer, step, tokens, cache)


def of_keras_hub(size):
    from keras import ops
    from keras_hub.layers import CachedMultiHeadAttention

    layer, tokens = layer_of(CachedMultiHeadAttention, size), tokens_of(size)
    before = ops.convert_to_tensor(tokens[:, :-1])
    parts = [layer._key_dense(before), layer._value_dense(before)]
    cache = ops.pad(ops.stack(parts, axis=1), [[0, 0], [0, 0], [0, 1], [0, 0], [0, 0]])
    last = size["context"] - 1

    def step(token, kept):
        seen = ops.expand_dims(ops.arange(size["context"]) <= last, (0, 1))
        return layer(
            token, token, attention_mask=seen, cache=kept, cache_update_index=last
        )

    return stepping(layer, step, tokens, cache)


def recomputing(size):
    """The whole sequence again, for the sake of its last row."""
    from regard.layers import MultiHeadAttention

    layer, tokens = layer_of(MultiHeadAttention, size), tokens_of(size)

    def step(sequence, kept):
        return layer(sequence, sequence, use_causal_mask=True)[:, -1:], kept

    run = compiled_step(step, layer, tokens, np.zeros(1, "float32"))
    return Contender({"token": run}, lambda: [numpy_of(run())])


def stepping(layer, step, tokens, cache):
    run = compiled_step(step, layer, tokens[:, -1:], cache)
    return Contender({"token": run}, lambda: [numpy_of(run())])


def cost(size, action):
    """The cache is read once; weights and one token besides."""
    products = 4 * 2 * BATCH * WIDTH**2 + 2 * 2 * BATCH * size["context"] * WIDTH
    traffic = 4 * (2 * BATCH * size["context"] * WIDTH + 4 * WIDTH**2)
    return Cost(products, traffic, BATCH * size["context"] * HEADS)


def work(name, title, peer, make, *goals):
    """Ours in turns with one peer: what the two peers leave in memory differs."""
    return Work(
        name=name,
        title=title,
        sizes=tuple({"context": 512 * 2**power} for power in range(4)),
        quick=({"context": 512}, {"context": 2048}),
        contenders=lambda backend, size: {
            "regard": lambda: ours(size),
            peer: lambda: make(size),
        },
        goals=lambda backend: list(goals),
        cost=cost,
        units=lambda size: float(size["context"]),
    )


TITLE = "one token with a cache, 8 heads, width 512"
WORKS = (
    work(
        "cached",
        TITLE,
        "keras_hub",
        of_keras_hub,
        Goal("speed", "token", "keras_hub", 1.5, at={"context": 4096}),
        Goal("growth", "token", bound=1.0),
    ),
    work(
        "recomputed",
        f"{TITLE}, beside the whole sequence",
        "recomputing",
        recomputing,
        Goal("speed", "token", "recomputing"),
    ),
)
