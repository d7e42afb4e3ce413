"""Beam search as a Python loop: every step leaves the backend, NumPy chooses."""

from __future__ import annotations

import numpy as np


def beam_loop(model, beam, length, start, forbidden):
    """``search(source) -> log probabilities (B, beam)`` of sequences without an end."""
    import keras
    from keras import ops

    from regard.models.compiled import compiled

    def begin(source):
        memory = keras.tree.map_structure(
            lambda leaf: ops.repeat(leaf, beam, axis=0), model.encode(source)
        )
        return memory, model.initial_state(memory, length)

    begin = compiled(begin, model)
    step = compiled(lambda *given: model.step(*given)[::2], model)

    def search(source):
        batch = len(source)
        memory, state = begin(ops.convert_to_tensor(source))
        total = np.full((batch, beam), -1e9, "float32")
        total[:, 0] = 0
        tokens = np.full((batch, beam), start, "int32")
        ids = np.zeros((batch, beam, 0), "int32")
        for _ in range(length):
            tensor = ops.convert_to_tensor(tokens.reshape(-1))
            logits, state = step(tensor, memory, state)
            logits = ops.convert_to_numpy(logits).reshape(batch, beam, -1)
            top = logits.max(-1, keepdims=True)
            sums = np.log(np.exp(logits - top).sum(-1, keepdims=True))
            each = logits - top - sums
            each[:, :, list(forbidden)] = -1e9
            each = (total[..., None] + each).reshape(batch, -1)
            best = np.argpartition(-each, beam, axis=1)[:, :beam]
            total = np.take_along_axis(each, best, axis=1)
            order = np.argsort(-total, axis=1)
            best, total = (np.take_along_axis(x, order, axis=1) for x in (best, total))
            parent, tokens = np.divmod(best, logits.shape[-1])
            tokens = tokens.astype("int32")
            ids = np.take_along_axis(ids, parent[..., None], axis=1)
            ids = np.concatenate([ids, tokens[..., None]], axis=2)
            flat = (parent + beam * np.arange(batch)[:, None]).reshape(-1)
            flat = ops.convert_to_tensor(flat.astype("int32"))
            state = keras.tree.map_structure(
                lambda leaf, flat=flat: ops.take(leaf, flat, axis=0), state
            )
        return total

    return search
