r"""What a decoder reads of its contexts, worked out once for the whole memory.

Kernels multiply every context, which is a mean of values:
$W c_i = \sum_j a_{ij} W v_j$. Where more queries come than there are places, the
products of the values are fewer. A memory so prepared holds ``read`` (B, 1, S, N)
instead of ``value``, side by side for all kernels.
"""

import keras
from keras import ops

from regard.changing import anything_changes
from regard.core.shapes import is_static
from regard.layers.gates import is_plain_gru, is_plain_lstm
from regard.layers.keras_internals import computing_in

_WORTH = 2  # queries for each place


def is_folded(memory) -> bool:
    """Whether a decoder's memory holds products of its values."""
    return "read" in memory


def folded(decoder, memory, queries, readout=None):
    """The memory with folded values, or itself where that is no less work.

    Args:
        decoder: an ``AttentionDecoder``.
        memory: what its ``prepare`` gave.
        queries: how many ask each memory, about.
        readout: a kernel (C, N) that reads every context besides the decoder; its part
            of the output then stands where the context was.
    """
    places = memory["mask"].shape[1]
    if not is_static(places) or queries < _WORTH * places or not _foldable(decoder):
        return memory
    with computing_in(decoder):
        kernels = [_own_kernel(decoder, memory["value"].shape[-1])]
        kernels += [] if readout is None else [readout]
        read = ops.matmul(memory["value"], ops.concatenate(kernels, axis=-1))
    return {**{k: v for k, v in memory.items() if k != "value"}, "read": read}


def ask_folded(ask, query, memory, state):
    """``ask`` a folded memory: products of the context, weights, state."""
    others = {name: each for name, each in memory.items() if name != "read"}
    return ask(query, {**others, "value": memory["read"]}, state)


def _foldable(decoder):
    policy = keras.tree.flatten([decoder.compute_dtype, decoder.variable_dtype])
    if anything_changes() or set(policy) != {"float32"}:
        return False
    attention = decoder.attention
    if not getattr(attention, "mixes_values", False) or attention.position is not None:
        return False  # a position may add something of its own to what is read
    plain = is_plain_gru(decoder.cell) or is_plain_lstm(decoder.cell)
    return decoder.query == "new_state" or (decoder.query == "previous_state" and plain)


def _own_kernel(decoder, width):
    """The rows of the decoder's kernel that multiply a context of this width."""
    if decoder.query == "new_state":
        return ops.convert_to_tensor(decoder.output_kernel)[:width]
    return ops.convert_to_tensor(decoder.cell.kernel)[-width:]
