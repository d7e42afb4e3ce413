"""The differentiable neural computer."""

import keras
from keras import ops

from regard.core import allocation as places
from regard.core.addressing import by_content, read, written
from regard.layers.memory.memory_cell import MemoryCell
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class DNCCell(MemoryCell):
    r"""A controller that finds free slots to write and follows the order of writing.

    Writing: $w = g_w (g_a\, a + (1 - g_a)\, c)$, where $a$ are the free slots
    (``allocation``) and $c$ those that resemble the write key. Reading, per head:
    $w^r = \pi_1 b + \pi_2 c^r + \pi_3 f$: the slots written before those read last,
    those that resemble the read key, those written after. Memory (slots, slot_width);
    the links between slots take slots * slots numbers. Inputs (B, D), output
    (B, output_size): a linear layer on what the controller gives and what was read.

    A Keras cell: ``keras.layers.RNN(DNCCell(...), return_sequences=True)``. Its state
    is the memory, usage, links, precedence, the heads' weights, what was read, and the
    controller's; all float32, all zero at the start.

    Graves, Wayne, Reynolds et al. 2016, "Hybrid computing using a neural network with
    dynamic external memory", Nature 538, doi:10.1038/nature20101, Methods. Usage is not
    pushed away from 0 and 1 as in the authors' code.

    Args:
        controller: a Keras cell without dropout, such as ``LSTMCell(256)``.
        output_size: width of the output.
        slots, slot_width: N and W.
        read_heads: R.

    Raises:
        ValueError: for a size that is not a positive integer, or a controller that is
            no cell or has dropout.
    """

    mechanism = "dnc"

    def __init__(
        self,
        controller,
        output_size,
        slots=256,
        slot_width=64,
        read_heads=4,
        **options,
    ):
        super().__init__(controller, output_size, slots, slot_width, **options)
        self.read_heads = check_units("read_heads", read_heads)

    def parts(self):
        slots, heads = self.slots, self.read_heads
        return {
            "memory": (slots, self.slot_width),
            "usage": (slots,),
            "links": (slots, slots),
            "precedence": (slots,),
            "writing": (slots,),
            "reading": (heads, slots),
            "reads": (heads, self.slot_width),
        }

    def demands(self):
        heads, width = self.read_heads, self.slot_width
        return {
            "read_key": (heads, width),
            "read_strength": (heads, 1),
            "write_key": (1, width),
            "write_strength": (1, 1),
            "erase": (1, width),
            "add": (1, width),
            "free": (heads, 1),
            "allocation_gate": (1,),
            "write_gate": (1,),
            "modes": (heads, 3),
        }

    def work(self, wanted, state):
        free = ops.sigmoid(wanted["free"])
        usage = places.used(state["usage"], state["writing"], state["reading"], free)
        writing = self._writing(wanted, state["memory"], usage)
        erase = ops.sigmoid(wanted["erase"])
        memory = written(state["memory"], writing[:, None], erase, wanted["add"])
        links = places.linked(state["links"], state["precedence"], writing)
        reading = self._reading(wanted, memory, links, state["reading"])
        return {
            "memory": memory,
            "usage": usage,
            "links": links,
            "precedence": places.preceding(state["precedence"], writing),
            "writing": writing,
            "reading": reading,
            "reads": read(reading, memory),
        }

    def _writing(self, wanted, memory, usage):
        """(B, N)."""
        strength = 1 + ops.softplus(wanted["write_strength"])
        alike = by_content(wanted["write_key"], memory, strength)[:, 0]
        gate = ops.sigmoid(wanted["allocation_gate"])
        mixed = gate * places.allocation(usage) + (1 - gate) * alike
        return ops.sigmoid(wanted["write_gate"]) * mixed

    def _reading(self, wanted, memory, links, before):
        """(B, R, N)."""
        strength = 1 + ops.softplus(wanted["read_strength"])
        alike = by_content(wanted["read_key"], memory, strength)
        backward, forward = places.followed(links, before)
        modes = ops.softmax(wanted["modes"], axis=-1)
        ways = ops.stack([backward, alike, forward], axis=-1)  # (B, R, N, 3)
        return ops.sum(ways * ops.expand_dims(modes, -2), axis=-1)

    def get_config(self):
        return {**super().get_config(), "read_heads": self.read_heads}
