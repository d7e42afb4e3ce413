"""Training a recurrent decoder: attention inside the recurrence, and after it.

Ours is the decoder that ``regard train translate --cell gru`` builds (Luong's order
with input feeding), and Bahdanau's order beside it; both look at every step before they
go on. The plain script runs its GRU first and attends to all steps at once; the loop is
written as in PyTorch's tutorial of sequence to sequence networks.
"""

from __future__ import annotations

from benchmarks.contenders import of_layer, of_module, random_inputs
from benchmarks.harness import Cost, Goal, Work, unlike

UNITS = 256


def inputs_of(size):
    """Embedded words, and the annotations that are looked at."""
    shape = (size["batch"], size["length"], UNITS)
    return random_inputs(shape, shape)


def ours(size, order):
    from regard.layers import AttentionDecoder
    from regard.models import make_attention, make_cell

    decoder = AttentionDecoder(
        make_attention("additive", UNITS), make_cell("gru", UNITS), **order
    )
    return unlike(of_layer(decoder, inputs_of(size)))


def plain(size):
    import keras

    class Script(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.recurrence = keras.layers.GRU(UNITS, return_sequences=True)
            self.attention = keras.layers.AdditiveAttention()
            self.combine = keras.layers.Dense(UNITS, "tanh", use_bias=False)

        def call(self, words, annotations):
            hidden = self.recurrence(words)
            context = self.attention([hidden, annotations])
            return self.combine(keras.ops.concatenate([context, hidden], -1))

    return unlike(of_layer(Script(), inputs_of(size)))


def tutorial(size):
    import torch

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key = (torch.nn.Linear(UNITS, UNITS) for _ in range(2))
            self.score = torch.nn.Linear(UNITS, 1)
            self.recurrence = torch.nn.GRU(2 * UNITS, UNITS, batch_first=True)

        def forward(self, words, annotations):
            hidden, outputs = words.new_zeros(1, len(words), UNITS), []
            for place in range(words.shape[1]):
                asking = self.query(hidden.permute(1, 0, 2))
                scores = self.score(torch.tanh(asking + self.key(annotations)))
                weights = torch.softmax(scores.squeeze(2).unsqueeze(1), dim=-1)
                context = torch.bmm(weights, annotations)
                read = torch.cat((words[:, place : place + 1], context), dim=2)
                output, hidden = self.recurrence(read, hidden)
                outputs.append(output)
            return torch.cat(outputs, dim=1)

    return unlike(of_module(Decoder(), inputs_of(size)))


def cost(size, action):
    """The gates, W_c and the projections are products; a tanh for each pair."""
    steps, pairs = size["batch"] * size["length"], size["batch"] * size["length"] ** 2
    times = 3 if action == "train" else 1
    inside = 2 * steps * (3 * UNITS * 3 + UNITS * 2 + 2 * UNITS) * UNITS
    products = inside + 2 * 2 * pairs * UNITS
    weights = (3 * 3 + 2 + 2) * UNITS**2
    functions = pairs * UNITS + 3 * steps * UNITS
    traffic = 4 * times * (size["length"] * weights + 3 * steps * UNITS)
    return Cost(times * products, traffic, functions * (2 if times == 3 else 1))


WORK = Work(
    name="recurrent",
    title="recurrent decoding, GRU 256, additive attention at every step",
    sizes=({"length": 30, "batch": 64},),
    quick=({"length": 30, "batch": 64},),
    contenders=lambda backend, size: {
        "regard": lambda: ours(size, {"query": "new_state", "input_feeding": True}),
        "bahdanau": lambda: ours(size, {"query": "previous_state"}),
        "plain keras": lambda: plain(size),
        "torch loop": lambda: tutorial(size),
    },
    goals=lambda backend: [
        Goal("speed", "train", "plain keras", 1 / 1.1),
        Goal("speed", "train", "torch loop", 2),
        Goal("speed", "train", "plain keras", 1 / 1.1, ours="bahdanau"),
        Goal("speed", "train", "torch loop", 2, ours="bahdanau"),
        Goal("speed", "forward", "plain keras"),
    ],
    cost=cost,
)
