r"""What an expression of a card may call: NumPy's functions, and those of this field.

Each has a pattern that writes it in a formula, ``{0}`` its first argument; without one
it is written by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.elementary import ELEMENTARY, sigmoid
from regard.seeing.steps.cells import CELLS
from regard.seeing.steps.grids import GRIDS
from regard.seeing.steps.heads import HEADS
from regard.seeing.steps.machines import MACHINES
from regard.seeing.steps.networks import NETWORKS
from regard.seeing.steps.pictures import PICTURES
from regard.seeing.steps.places import PLACES
from regard.seeing.steps.remade import REMADE
from regard.seeing.steps.series import SERIES
from regard.seeing.steps.special import SPECIAL
from regard.seeing.steps.walks import WALKS

_WRITTEN = (ELEMENTARY, PLACES, SERIES, SPECIAL, CELLS, REMADE, HEADS, NETWORKS)
_NAMED = (WALKS, PICTURES, GRIDS, MACHINES)  # which formulas write by their names


@dataclass(frozen=True)
class Function:
    """How it is computed and, in LaTeX, written; ``whole``: it reads a row at once."""

    compute: Callable[..., Any]
    pattern: str = ""
    whole: bool = False


FUNCTIONS: Mapping[str, Function] = {
    "sum": Function(np.sum, r"\sum {0}", whole=True),
    "mean": Function(np.mean, r"\mathrm{{mean}}({0})", whole=True),
    "max": Function(np.max, r"\max({0})", whole=True),
    "any": Function(np.any, whole=True),
    "all": Function(np.all, whole=True),
    "given": Function(lambda group, name, usual: group.values.get(name, usual)),
    "kind": Function(
        lambda group, name: getattr(group.values.get(name), "values", {}).get("kind")
    ),
    "min": Function(np.min, r"\min({0})", whole=True),
    "var": Function(np.var, whole=True),
    "mix": Function(
        lambda weights, values: np.tensordot(weights, values, 1), whole=True
    ),
    "cumsum": Function(np.cumsum, whole=True),
    "cumprod": Function(np.cumprod, whole=True),
    "places": Function(np.flatnonzero),
    "sort": Function(np.sort, whole=True),
    "argsort": Function(np.argsort, whole=True),
    "argmax": Function(np.argmax, r"\arg\max({0})", whole=True),
    "norm": Function(np.linalg.norm, r"\lVert {0} \rVert"),
    "exp": Function(np.exp, r"\exp({0})"),
    "log": Function(np.log, r"\ln({0})"),
    "sqrt": Function(np.sqrt, r"\sqrt{{{0}}}"),
    "square": Function(np.square, "{0}^2"),
    "abs": Function(np.abs, r"|{0}|"),
    "tanh": Function(np.tanh, r"\tanh({0})"),
    "cos": Function(np.cos, r"\cos({0})"),
    "sin": Function(np.sin, r"\sin({0})"),
    "softplus": Function(lambda x: np.logaddexp(0.0, x)),
    "relu": Function(lambda x: np.maximum(x, 0.0), r"\max(0, {0})"),
    "silu": Function(lambda x: x * sigmoid(x)),
    "maximum": Function(np.maximum, r"\max({0}, {1})"),
    "minimum": Function(np.minimum, r"\min({0}, {1})"),
    "clip": Function(np.clip, r"\min(\max({0}, {1}), {2})"),
    "ceil": Function(np.ceil),
    "floor": Function(np.floor, r"\lfloor {0} \rfloor"),
    "round": Function(np.round),
    "where": Function(np.where),
    "concat": Function(lambda *parts, axis=-1: np.concatenate(parts, axis), r"[{*}]"),
    "stack": Function(lambda *parts, axis=0: np.stack(parts, axis)),
    "reshape": Function(lambda x, *shape: np.reshape(x, shape), "{0}"),
    "transpose": Function(
        lambda x, *axes: np.transpose(x, axes or None), r"{0}^\top", whole=True
    ),
    "roll": Function(np.roll),
    "repeat": Function(np.repeat),
    "tile": Function(np.tile),
    "take": Function(np.take),
    "take_along": Function(np.take_along_axis),
    "pad": Function(np.pad),
    "split": Function(np.split),
    "outer": Function(np.multiply.outer, r"{0} \cdot {1}"),
    "einsum": Function(np.einsum, r"\sum {0} \, {1}"),
    "zeros": Function(lambda *shape: np.zeros(shape)),
    "ones": Function(lambda *shape: np.ones(shape)),
    "arange": Function(lambda *ends: np.arange(*ends)),
    "eye": Function(np.eye),
    "tril": Function(np.tril),
    "triu": Function(np.triu),
    "shape": Function(lambda x, axis: np.shape(x)[axis]),
    "length": Function(len),
    "rank": Function(np.ndim),
    "text": Function(str),
    "number": Function(float),
    "whole_number": Function(int),
    "isin": Function(np.isin),
    "isclose": Function(np.isclose),
    "inv": Function(np.linalg.inv, r"{0}^{{-1}}"),
    "pinv": Function(np.linalg.pinv),
    "fft": Function(np.fft.fft),
    "ifft": Function(np.fft.ifft),
    "real": Function(np.real),
    **{n: Function(*each) for group in _WRITTEN for n, each in group.items()},
    **{n: Function(each) for group in _NAMED for n, each in group.items()},
}
CONSTANTS: Mapping[str, Any] = {"pi": np.pi, "infinity": np.inf}
# Those whose value says more than their arguments.
EVALUATED = frozenset(
    "any given length shape zeros ones arange eye one_hot where stack places shifted "
    "latest pushed ranked crossing cell_output cell_gives cell_states layer_output "
    "slower slope table_row logarithmic paired scale_of first_lambda landmark_bound "
    "one_way pyramid in_pairs".split()
) | {*PICTURES, *GRIDS}
