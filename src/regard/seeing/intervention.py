"""What a model would have said with other weights."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from keras import ops

from regard.changing import Change, changing
from regard.layers.traceable import Traceable
from regard.seeing.capture import attention_layers, choose, eagerly
from regard.seeing.keras_layers import changeable
from regard.seeing.maps import Maps
from regard.seeing.reducing import Reduction
from regard.seeing.replacing import replaced
from regard.seeing.unchangeable import why_unchangeable


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
    is put back afterwards, also after an exception. Blocks may be nested. What a layer
    remembers of where it looked, or of what it wrote, stays its own.

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
    called: set[str] = set()
    with ExitStack() as stack:
        stack.enter_context(eagerly(model, Maps({}, Reduction())))
        for name, layer in chosen.items():
            if not isinstance(layer, Traceable):
                stack.enter_context(changeable(layer))
            stack.enter_context(_noting_calls(layer, name, called))
            for each in _read_with(layer, chosen):
                stack.enter_context(changing(each, changes[name]))
        yield
    unused = [
        name
        for name, layer in chosen.items()
        if not changes[name].uses and _read_with(layer, chosen) == _and_inside(layer)
    ]
    if unused:
        layer = chosen[unused[0]]
        why = why_unchangeable(layer) if unused[0] in called else "it was not called"
        raise ValueError(
            "layers must be called in the block and read a memory with a table of "
            f"weights, which can then be changed. Got {unused[0]!r} "
            f"({type(layer).__name__}): {why}; name other layers."
        )


@contextmanager
def _noting_calls(layer: Any, name: str, called: set[str]) -> Iterator[None]:
    call = layer.call

    @wraps(call)
    def noted(*args: Any, **options: Any) -> Any:
        called.add(name)
        return call(*args, **options)

    with replaced(layer, "call", noted):
        yield


def _read_with(layer: Any, chosen: Mapping[str, Any]) -> list[Any]:
    """The layer and those inside with whose weights it reads, if not chosen too."""
    own = {id(each) for each in chosen.values()}
    inside = _and_inside(layer)[1:]
    return [layer, *(each for each in inside if id(each) not in own)]


def _and_inside(layer) -> list[Any]:
    found = [layer]
    if isinstance(layer, Traceable):
        for inner in layer.reads_with():
            found += _and_inside(inner)
    return found
