"""Recurrent cells with a memory of slots beside their controller."""

import keras
from keras import ops

from regard.layers.decoder_parts import as_layer, check_cell, packed, takes_training
from regard.layers.weights import check_units


class MemoryCell(keras.layers.Layer):
    """A controller that works on a memory; abstract.

    A Keras cell for ``keras.layers.RNN``. Everything it remembers is in its state, and
    nothing on the layer. It computes and keeps its state in float32 whatever the dtype
    policy, because a memory is written to at every step; ``RNN`` casts its output.

    A mechanism names the leaves of its memory (``parts``), the numbers it wants of the
    controller (``demands``) and what a step does with them (``work``).
    """

    def __init__(self, controller, output_size, slots, slot_width, **options):
        options["dtype"] = "float32"
        super().__init__(**options)
        self.controller = check_controller(check_cell(as_layer(controller)))
        self.output_size = check_units("output_size", output_size)
        self.slots = check_units("slots", slots)
        self.slot_width = check_units("slot_width", slot_width)

    # What a mechanism fills in -------------------------------------------------------

    def parts(self) -> dict[str, tuple[int, ...]]:
        """The leaves of the state beside the controller's: name and shape."""
        raise NotImplementedError(f"{type(self).__name__} must define parts.")

    def demands(self) -> dict[str, tuple[int, ...]]:
        """The numbers a step needs of the controller: name and shape."""
        raise NotImplementedError(f"{type(self).__name__} must define demands.")

    def work(self, wanted, state):
        """The next state of the memory, its "reads" (B, R, M) among the leaves."""
        raise NotImplementedError(f"{type(self).__name__} must define work.")

    def start(self, name, shape, batch):
        """A leaf before the first step."""
        return ops.zeros((batch, *shape))

    # The cell ------------------------------------------------------------------------

    @property
    def state_size(self):
        """Widths of the leaves: the memory's, flat, then the controller's."""
        own = [count(shape) for shape in self.parts().values()]
        return own + keras.tree.flatten(self.controller.state_size)

    def get_initial_state(self, batch_size=None):
        """The state before the first step, every leaf (B, width)."""
        leaves = [
            ops.reshape(self.start(name, shape, batch_size), (batch_size, count(shape)))
            for name, shape in self.parts().items()
        ]
        controller = self.controller.get_initial_state(batch_size=batch_size)
        return leaves + [
            ops.cast(leaf, "float32") for leaf in keras.tree.flatten(controller)
        ]

    def build(self, inputs_shape):
        width = inputs_shape[-1] + count(self.parts()["reads"])
        if not self.controller.built:
            self.controller.build((inputs_shape[0], width))
            self.controller.built = True
        hidden = controller_width(self.controller)
        wanted = sum(map(count, self.demands().values()))
        self.head_kernel = self.add_weight((hidden, wanted), name="head_kernel")
        self.head_bias = self.add_weight(
            (wanted,), name="head_bias", initializer="zeros"
        )
        shape = (hidden + count(self.parts()["reads"]), self.output_size)
        self.output_kernel = self.add_weight(shape, name="output_kernel")
        self.output_bias = self.add_weight(
            (self.output_size,), name="output_bias", initializer="zeros"
        )
        self.built = True

    def call(self, inputs, states, training=False):
        shapes = self.parts()
        own = dict(zip(shapes, states, strict=False))
        state = {
            name: ops.reshape(own[name], (-1, *shape)) for name, shape in shapes.items()
        }
        seen = ops.concatenate([inputs, own["reads"]], axis=-1)
        hidden, controller = self._control(seen, states[len(shapes) :], training)
        numbers = ops.matmul(hidden, self.head_kernel) + self.head_bias
        state = self.work(split(numbers, self.demands()), state)
        leaves = [
            ops.reshape(state[name], (-1, count(shape)))
            for name, shape in shapes.items()
        ]
        reads = ops.reshape(state["reads"], (-1, count(shapes["reads"])))
        together = ops.concatenate([hidden, reads], axis=-1)
        output = ops.matmul(together, self.output_kernel) + self.output_bias
        return output, [*leaves, *controller]

    def _control(self, inputs, leaves, training):
        options = {"training": training} if takes_training(self.controller) else {}
        states = packed(self.controller, list(leaves))
        hidden, states = self.controller(inputs, states, **options)
        leaves = [ops.cast(leaf, "float32") for leaf in keras.tree.flatten(states)]
        return ops.cast(hidden, "float32"), leaves

    def get_config(self):
        return {
            **super().get_config(),
            "controller": keras.saving.serialize_keras_object(self.controller),
            "output_size": self.output_size,
            "slots": self.slots,
            "slot_width": self.slot_width,
        }


def count(shape) -> int:
    """Numbers in a shape."""
    total = 1
    for size in shape:
        total *= size
    return total


def split(numbers, shapes):
    """(B, all) -> tensors (B, *shape) by name."""
    found, start = {}, 0
    for name, shape in shapes.items():
        piece = numbers[:, start : start + count(shape)]
        found[name] = ops.reshape(piece, (-1, *shape))
        start += count(shape)
    return found


def controller_width(cell) -> int:
    """Width of what the controller gives."""
    return getattr(cell, "output_size", None) or keras.tree.flatten(cell.state_size)[0]


def check_controller(cell):
    """Dropout draws masks and keeps them, which a loop cannot have within a cell."""
    for each in getattr(cell, "cells", [cell]):
        dropped = getattr(each, "dropout", 0) or getattr(each, "recurrent_dropout", 0)
        if dropped:
            raise ValueError(
                "controller must have dropout=0 and recurrent_dropout=0 inside a "
                f"memory cell. Got {dropped}. Drop the inputs of the loop instead."
            )
    return cell
