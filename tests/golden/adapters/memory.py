"""Memories: pytorch-ntm, External-Attention-pytorch."""

from keras import ops

from regard.core import addressing
from regard.layers import ExternalAttention
from tests.golden.tools import Applied, adapts


@adapts("pytorch_ntm.NTMMemory")
def ntm_memory(case):
    """One head; there the first share of a shift moves up, here the last one."""

    def run(t):
        memory = t["in.memory"]

        def one(name):
            return t[f"in.{name}"][:, None]

        head = {
            "key": one("k"),
            "strength": one("beta"),
            "gate": one("g"),
            "shifts": ops.flip(one("s"), axis=-1),
            "power": one("gamma"),
        }
        weights = addressing.addressed(memory, one("w_prev"), head)
        content = addressing.by_content(head["key"], memory, head["strength"])
        return {
            "out.read": addressing.read(weights, memory)[:, 0],
            "out.w": weights[:, 0],
            "out.w_content": content[:, 0],
            "out.memory_after_write": addressing.written(
                memory, weights, one("e"), one("a")
            ),
        }

    return run


@adapts("external_attention_pytorch.ExternalAttention")
def external_attention(case):
    layer = Applied(ExternalAttention(case.constructor.get("S", 64)))

    def run(t):
        weights = [
            ops.transpose(t["w.mk.weight"]),
            ops.transpose(t["w.mv.weight"]),
        ]
        return {"out.y": layer(weights, t["in.x"])}

    return run
