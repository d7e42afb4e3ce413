"""What a model would have said with other weights."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from keras import ops

from regard.changing import Change, changing
from regard.layers.traceable import Traceable
from regard.seeing.capture import attention_layers, choose, eagerly
from regard.seeing.keras_layers import changeable
from regard.seeing.maps import Maps
from regard.seeing.reducing import Reduction


@contextmanager
def intervening(
    model,
    layers=None,
    change: Callable[[Any, Any], Any] | None = None,
    *,
    shown: Any = None,
) -> Iterator[None]:
    """Let attention layers of a model read with changed weights while the block runs.

        with intervening(model, "pooling", lambda weights, mask: uniform(mask)):
            model(x, training=False)

    The layers compute step by step what they compute otherwise, in inference, and all
    is put back afterwards, also after an exception. Blocks may be nested.

    Args:
        model: as in ``regard.capture``.
        layers: names or paths of the layers; by default all.
        change: ``change(weights, mask)`` gives the weights to read with, for those
            that the layer made and what may be seen, both (B, H, T, S).
        shown: boolean, broadcasts to (B, H, T, S); False is hidden from the layers
            before they make their weights, as padding is.

    Raises:
        ValueError: where the model has no such layer, or a layer did not read with a
            table of weights while the block ran.
    """
    chosen = choose(attention_layers(model), layers)
    if shown is not None:
        shown = ops.cast(ops.convert_to_tensor(shown), "bool")
    changes = {name: Change(change, shown) for name in chosen}
    with ExitStack() as stack:
        stack.enter_context(eagerly(model, Maps({}, Reduction())))
        for name, layer in chosen.items():
            if not isinstance(layer, Traceable):
                stack.enter_context(changeable(layer))
            for each in _and_inside(layer):
                stack.enter_context(changing(each, changes[name]))
        yield
    unused = [name for name, change in changes.items() if not change.uses]
    if unused:
        kind = getattr(chosen[unused[0]], "mechanism", type(chosen[unused[0]]).__name__)
        raise ValueError(
            "layers must be called in the block and read a memory with a table of "
            f"weights, which can then be changed. Got {unused[0]!r} ({kind}), where "
            "this did not happen; name other layers."
        )


def _and_inside(layer) -> list[Any]:
    """The layer, and those inside it whose attention it reports as its own."""
    found = [layer]
    if isinstance(layer, Traceable):
        for inner in layer.reports_for():
            found += _and_inside(inner)
    return found
