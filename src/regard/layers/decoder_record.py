"""What a recurrent decoder shows of its steps while somebody listens.

Beside the arrays of every attention, each (B, 1, T, n): ``states`` before each
step, ``fed``, the output before where the cell reads it, ``asked``, with
what the attention was asked, and ``found``, what it answered. Where the cell goes
through all steps before, ``start`` (B, 1, 1, n) stands for its states.
"""

from keras import ops

from regard.layers.decoder_parts import alike
from regard.recording import Recorder, recording


def before(state):
    """What a step begins with."""
    shown = {"states": joined(state["cell"])}
    if "output" in state:
        shown["fed"] = state["output"]
    return {name: each[:, None] for name, each in shown.items()}


def looked(attention, question, found, options):
    """What one look showed; ``question`` are query (B, U), memory and state."""
    query, _, state = question
    shown = {"asked": query[:, None], "found": found[0][:, None]}
    if hasattr(attention, "extra"):
        shown |= attention.extra(*question, **options)
    if getattr(attention, "scope", None) is None and "taken" not in state:
        shown.pop("mask", None)  # nothing is hidden but padding
    return shown


def listening(attention, wanted):
    """A block in which the attention is called, and the dict of what it shows."""
    kept = {}
    accepts = (lambda layer: layer is attention) if wanted else (lambda layer: False)
    return recording(Recorder(accepts, lambda _, tensors: kept.update(tensors))), kept


def record(attention, weights, memory, mask, extra):
    """The arrays of a trace; ``mask`` (B, T) says which steps are real."""
    extra = dict(extra)
    if mask is not None:  # a padded step reads nothing, as its weights say
        read = [name for name in ("found", "context") if name in extra]
        extra |= {name: hide_rows(extra[name], mask) for name in read}
    named = {name: extra.pop(name, None) for name in ("query", "scores", "context")}
    if named["context"] is None:
        named["context"] = extra.get("found")
    seen = ops.cast(memory["mask"], "bool")[:, None, None, :]
    masks = {"padding": seen}
    if "mask" in extra:
        scope = getattr(attention, "scope", None)
        cause = "scope" if scope is None else scope.cause
        masks[cause] = ops.cast(extra.pop("mask"), "bool")
    if mask is not None:
        masks["query"] = mask[:, None, :, None]
        extra["real"] = mask[:, None]
    allowed = ops.broadcast_to(seen, ops.shape(weights))
    for part in masks.values():
        allowed = ops.logical_and(allowed, part)
    kept = {name: memory[name] for name in ("key", "value") if name in memory}
    arrays = {**named, **kept, "weights": weights, "mask": allowed}
    return {**arrays, "masks": masks, "extra": extra}


def hide_rows(tensor, mask):
    """(B, H, T, n) with 0 where the mask (B, T) says padding."""
    return ops.where(mask[:, None, :, None], tensor, ops.zeros_like(tensor))


def joined(leaves):
    """States side by side, (B, n)."""
    return ops.concatenate(alike(*leaves), axis=-1)
