"""The neural Turing machine."""

import keras
from keras import ops

from regard.core.addressing import addressed, read, written
from regard.layers.memory.memory_cell import MemoryCell
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class NTMCell(MemoryCell):
    r"""A controller with heads that move over a memory: content, then place.

    $w^c = \mathrm{softmax}(\beta \cos(k, M)),\quad w^g = g w^c + (1 - g) w_{t-1},\quad
    \tilde w_i = \sum_j w^g_j s_{i-j},\quad w_i = \tilde w_i^\gamma / \sum_j
    \tilde w_j^\gamma$; then $r = w M$ and $M_i \gets M_i (1 - w_i e) + w_i a$.

    ``M`` memory (slots, slot_width), ``w`` (slots,); every head gets its key k,
    strength $\beta \ge 0$, gate g, shift shares s and sharpening $\gamma \ge 1$ from
    the controller, a write head also erase e and add a. All heads read and write the
    memory of the step before; reading comes before writing. Inputs (B, D), output
    (B, output_size): a linear layer on what the controller gives and what was read.

    A Keras cell: ``keras.layers.RNN(NTMCell(...), return_sequences=True)``. Its state
    is the memory, the heads' weights, what was read, and the controller's; all float32.
    The heads start at slot 0 and the memory at 1e-6.

    Graves, Wayne, Danihelka 2014, "Neural Turing machines", arXiv:1410.5401, section 3.

    Args:
        controller: a Keras cell without dropout, such as ``LSTMCell(100)``.
        output_size: width of the output.
        slots, slot_width: N and M.
        read_heads, write_heads: numbers of heads.
        shifts: how far a head can move in one step, in either direction.

    Raises:
        ValueError: for a size that is not a positive integer, a controller that is no
            cell or has dropout, or shifts that reach around the memory.
    """

    mechanism = "ntm"

    def __init__(
        self,
        controller,
        output_size,
        slots=128,
        slot_width=20,
        read_heads=1,
        write_heads=1,
        shifts=1,
        **options,
    ):
        super().__init__(controller, output_size, slots, slot_width, **options)
        self.read_heads = check_units("read_heads", read_heads)
        self.write_heads = check_units("write_heads", write_heads)
        self.shifts = check_units("shifts", shifts)
        if 2 * self.shifts + 1 > self.slots:
            raise ValueError(
                f"shifts must be at most {(self.slots - 1) // 2} for {self.slots} "
                f"slots. Got {shifts}."
            )

    def parts(self):
        heads = self.read_heads + self.write_heads
        return {
            "memory": (self.slots, self.slot_width),
            "weights": (heads, self.slots),
            "reads": (self.read_heads, self.slot_width),
        }

    def demands(self):
        heads, width = self.read_heads + self.write_heads, self.slot_width
        return {
            "key": (heads, width),
            "strength": (heads, 1),
            "gate": (heads, 1),
            "shifts": (heads, 2 * self.shifts + 1),
            "power": (heads, 1),
            "erase": (self.write_heads, width),
            "add": (self.write_heads, width),
        }

    def start(self, name, shape, batch):
        if name == "memory":
            return ops.full((batch, *shape), 1e-6)
        if name == "weights":
            first = ops.one_hot(ops.zeros((shape[0],), dtype="int32"), self.slots)
            return ops.broadcast_to(first[None], (batch, *shape))
        return super().start(name, shape, batch)

    def work(self, wanted, state):
        head = {
            "key": ops.tanh(wanted["key"]),
            "strength": ops.softplus(wanted["strength"]),
            "gate": ops.sigmoid(wanted["gate"]),
            "shifts": ops.softmax(wanted["shifts"], axis=-1),
            "power": 1 + ops.softplus(wanted["power"]),
        }
        memory = state["memory"]
        weights = addressed(memory, state["weights"], head)
        reading, writing = weights[:, : self.read_heads], weights[:, self.read_heads :]
        erase, add = ops.sigmoid(wanted["erase"]), ops.tanh(wanted["add"])
        return {
            "memory": written(memory, writing, erase, add),
            "weights": weights,
            "reads": read(reading, memory),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "read_heads": self.read_heads,
            "write_heads": self.write_heads,
            "shifts": self.shifts,
        }
