"""Long recurrences in a few segments, so that no tensor grows too large."""

from keras import ops

from regard.core.limits import limits
from regard.core.scans import chunks
from regard.core.shapes import is_static, sizes_of

MOST = 8  # segments of a call
_NUMBER = 4  # bytes


def in_segments(scan, tensors, state, chunk):
    """``scan(*tensors, state, chunk)``, segment after segment where that pays.

    ``tensors`` are query, key, value and what else stands at every position, or None;
    each segment goes on from the state of the one before. Memory beyond a size is asked
    of the system anew for every operation, which costs more than the operation.
    """
    query, _, value = tensors[:3]
    size = segment(query, value, chunk)
    if size is None:
        return scan(*tensors, state, chunk)
    outputs = []
    for start in range(0, query.shape[2], size):
        here = [None if e is None else e[:, :, start : start + size] for e in tensors]
        output, state = scan(*here, state, chunk)
        outputs.append(output)
    return ops.concatenate(outputs, axis=2), state


def segment(query, value, chunk):
    """Positions of a segment, a multiple of the chunk; None for all at once."""
    limit = limits().segment
    sizes = sizes_of(query)
    if limit is None or not is_static(*sizes):
        return None
    batch, heads, length, width = sizes
    size = chunk or chunks.SCALAR_CHUNK
    row = batch * heads * max(width, value.shape[-1], size) * _NUMBER
    most = max(limit // row, -(-length // MOST), size)
    most = -(-most // size) * size
    return None if most >= length else most
