"""Machines with a memory, step by step: Graves 2014 and Graves 2016."""

import numpy as np

from tests.reference.cells import CELLS, sigmoid
from tests.reference.normalizers import softmax
from tests.reference.recurrent_decoder import part


def softplus(x):
    return np.log1p(np.exp(x))


def cosine(a, b):
    length = np.sqrt(a @ a) * np.sqrt(b @ b)
    return a @ b / length if length > 0 else 0.0


def alike(memory, key, strength):
    return softmax(np.array([strength * cosine(row, key) for row in memory]))


def machine(weights, sequences, visible, start, step, cell, reads):
    """The controller reads inputs and what was read; `step` works on the memory.

    Every example has a memory of its own, so they are walked one after another.
    """
    own = part(weights, "cell")
    run, count = CELLS[cell]
    controller = part(own, "controller")
    width = controller["recurrent_kernel"].shape[0]
    outputs = []
    for sequence in sequences:
        states = [np.zeros((1, width)) for _ in range(count)]
        state, seen, rows = start(), np.zeros(reads), []
        for inputs in sequence:
            given = np.concatenate([inputs, seen])[None]
            hidden, states = run(controller, given, states)
            numbers = (hidden @ own["head_kernel"] + own["head_bias"])[0]
            state, seen = step(numbers, state)
            together = np.concatenate([hidden[0], seen])
            rows.append(together @ own["output_kernel"] + own["output_bias"])
        outputs.append(rows)
    return np.array(outputs), None


def cut(numbers, *shapes):
    """The numbers in pieces of these shapes."""
    found = []
    for shape in shapes:
        size = int(np.prod(shape))
        found.append(numbers[:size].reshape(shape))
        numbers = numbers[size:]
    assert len(numbers) == 0
    return found


def ntm(weights, sequences, visible, sizes, cell):
    """Graves, Wayne & Danihelka 2014, section 3."""
    slots, width, readers, writers, reach = sizes
    heads = readers + writers

    def start():
        places = np.zeros((heads, slots))
        places[:, 0] = 1
        return np.full((slots, width), 1e-6), places

    def step(numbers, state):
        memory, before = state
        key, strength, gate, shift, power, erase, add = cut(
            numbers,
            (heads, width),
            (heads,),
            (heads,),
            (heads, 2 * reach + 1),
            (heads,),
            (writers, width),
            (writers, width),
        )
        now = np.zeros_like(before)
        for h in range(heads):
            content = alike(memory, np.tanh(key[h]), softplus(strength[h]))
            g, s = sigmoid(gate[h]), softmax(shift[h])
            mixed = g * content + (1 - g) * before[h]
            for i in range(slots):
                for k, by in enumerate(range(-reach, reach + 1)):
                    now[h, i] += s[k] * mixed[(i - by) % slots]
            now[h] = now[h] ** (1 + softplus(power[h]))
            now[h] /= now[h].sum()
        seen = np.concatenate([now[h] @ memory for h in range(readers)])
        after = memory.copy()
        for w in range(writers):
            after *= 1 - np.outer(now[readers + w], sigmoid(erase[w]))
        for w in range(writers):
            after += np.outer(now[readers + w], np.tanh(add[w]))
        return (after, now), seen

    return machine(weights, sequences, visible, start, step, cell, readers * width)


def dnc(weights, sequences, visible, sizes, cell):
    """Graves et al. 2016, Methods."""
    slots, width, readers = sizes

    def start():
        return {
            "memory": np.zeros((slots, width)),
            "usage": np.zeros(slots),
            "links": np.zeros((slots, slots)),
            "precedence": np.zeros(slots),
            "writing": np.zeros(slots),
            "reading": np.zeros((readers, slots)),
        }

    def allocated(usage):
        free, product = np.zeros(slots), 1.0
        for i in np.argsort(usage, kind="stable"):
            free[i] = (1 - usage[i]) * product
            product *= usage[i]
        return free

    def step(numbers, s):
        keys, strengths, key, strength, erase, add, freed, g_a, g_w, modes = cut(
            numbers,
            (readers, width),
            (readers,),
            (width,),
            (),
            (width,),
            (width,),
            (readers,),
            (),
            (),
            (readers, 3),
        )
        kept = np.prod([1 - sigmoid(f) * r for f, r in zip(freed, s["reading"])], 0)  # noqa: B905
        usage = (s["usage"] + s["writing"] - s["usage"] * s["writing"]) * kept
        content = alike(s["memory"], key, 1 + softplus(strength))
        mixed = sigmoid(g_a) * allocated(usage) + (1 - sigmoid(g_a)) * content
        writing = sigmoid(g_w) * mixed
        memory = s["memory"] * (1 - np.outer(writing, sigmoid(erase)))
        memory += np.outer(writing, add)
        links = np.zeros((slots, slots))
        for i, j in np.ndindex(slots, slots):
            if i != j:
                kept = (1 - writing[i] - writing[j]) * s["links"][i, j]
                links[i, j] = kept + writing[i] * s["precedence"][j]
        reading = np.zeros((readers, slots))
        for r in range(readers):
            backward, forward = links.T @ s["reading"][r], links @ s["reading"][r]
            content = alike(memory, keys[r], 1 + softplus(strengths[r]))
            mode = softmax(modes[r])
            reading[r] = mode[0] * backward + mode[1] * content + mode[2] * forward
        state = {
            "memory": memory,
            "usage": usage,
            "links": links,
            "precedence": (1 - writing.sum()) * s["precedence"] + writing,
            "writing": writing,
            "reading": reading,
        }
        return state, (reading @ memory).reshape(-1)

    return machine(weights, sequences, visible, start, step, cell, readers * width)
