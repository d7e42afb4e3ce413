r"""What an expression of a card may call: NumPy's functions, and those of this field.

Each has a pattern that writes it in a formula, ``{0}`` its first argument; without one
it is written by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from regard.seeing.steps import cells, places, remade, series
from regard.seeing.steps.elementary import (
    convolution,
    dot,
    elu,
    fold,
    gelu,
    largest,
    layer_norm,
    leaky_relu,
    one_hot,
    quotient,
    rms_norm,
    shifted,
    sigmoid,
    softmax,
    unit,
)
from regard.seeing.steps.heads import HEADS
from regard.seeing.steps.machines import MACHINES
from regard.seeing.steps.networks import NETWORKS
from regard.seeing.steps.pictures import PICTURES
from regard.seeing.steps.special import (
    crossing,
    in_blocks,
    in_sight,
    landmark_bound,
    ranked,
    segment_any,
    segment_means,
)
from regard.seeing.steps.walks import WALKS


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
    "largest": Function(largest, r"\max({0})", whole=True),
    "quotient": Function(quotient, r"\frac{{{0}}}{{{1}}}"),
    "any": Function(np.any, whole=True),
    "all": Function(np.all, whole=True),
    "given": Function(lambda group, name, usual: group.values.get(name, usual)),
    "kind": Function(
        lambda group, name: getattr(group.values.get(name), "values", {}).get("kind")
    ),
    "min": Function(np.min, r"\min({0})", whole=True),
    "var": Function(np.var, whole=True),
    "dot": Function(dot, r"{0} \cdot {1}"),
    "mix": Function(
        lambda weights, values: np.tensordot(weights, values, 1), whole=True
    ),
    "softmax": Function(softmax, r"\mathrm{{softmax}}({0})", whole=True),
    "cumsum": Function(np.cumsum, whole=True),
    "cumprod": Function(np.cumprod, whole=True),
    "places": Function(np.flatnonzero),
    "sort": Function(np.sort, whole=True),
    "argsort": Function(np.argsort, whole=True),
    "argmax": Function(np.argmax, r"\arg\max({0})", whole=True),
    "norm": Function(np.linalg.norm, r"\lVert {0} \rVert"),
    "unit": Function(unit, r"{0} / \lVert {0} \rVert"),
    "exp": Function(np.exp, r"\exp({0})"),
    "log": Function(np.log, r"\ln({0})"),
    "sqrt": Function(np.sqrt, r"\sqrt{{{0}}}"),
    "square": Function(np.square, "{0}^2"),
    "abs": Function(np.abs, r"|{0}|"),
    "tanh": Function(np.tanh, r"\tanh({0})"),
    "cos": Function(np.cos, r"\cos({0})"),
    "sin": Function(np.sin, r"\sin({0})"),
    "sigmoid": Function(sigmoid, r"\sigma({0})"),
    "softplus": Function(lambda x: np.logaddexp(0.0, x)),
    "relu": Function(lambda x: np.maximum(x, 0.0), r"\max(0, {0})"),
    "leaky_relu": Function(leaky_relu, r"\mathrm{{LeakyReLU}}({0})"),
    "elu": Function(elu),
    "silu": Function(lambda x: x * sigmoid(x)),
    "gelu": Function(gelu),
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
    "flip": Function(np.flip),
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
    "ndim": Function(np.ndim),
    "in_blocks": Function(in_blocks),
    "isclose": Function(np.isclose),
    "inv": Function(np.linalg.inv, r"{0}^{{-1}}"),
    "pinv": Function(np.linalg.pinv),
    "fft": Function(np.fft.fft),
    "ifft": Function(np.fft.ifft),
    "real": Function(np.real),
    **{name: Function(*each) for name, each in (HEADS | NETWORKS).items()},
    **{name: Function(each) for name, each in (WALKS | PICTURES | MACHINES).items()},
    "fold": Function(fold),
    "cell": Function(cells.cell, whole=True),
    "cell_gives": Function(cells.cell_gives, whole=True),
    "cell_output": Function(cells.cell_output),
    "cell_states": Function(cells.cell_states, whole=True),
    "known_cell": Function(cells.known_cell),
    "layer_output": Function(remade.layer_output, whole=True),
    "can_be_remade": Function(remade.can_be_remade),
    "shifted": Function(shifted),
    "convolution": Function(convolution, whole=True),
    "layer_norm": Function(layer_norm, r"\mathrm{{LN}}({0})"),
    "rms_norm": Function(rms_norm, r"\mathrm{{RMS}}({0})"),
    "one_hot": Function(one_hot),
    "segment_means": Function(segment_means, r"\mathrm{{mean}}({0})"),
    "segment_any": Function(segment_any),
    "landmark_bound": Function(landmark_bound, whole=True),
    "in_sight": Function(in_sight),
    "ranked": Function(ranked, whole=True),
    "plus": Function(places.plus, "{0} + {1}"),
    "times": Function(places.times, r"{0} \cdot {1}"),
    "rotated": Function(places.rotated, r"R({1}) \, {0}"),
    "paired": Function(places.paired),
    "slower": Function(places.slower),
    "turn_size": Function(places.turn_size),
    "slope": Function(places.slope),
    "bucket": Function(places.bucket, r"\mathrm{{bucket}}({0})"),
    "table_row": Function(places.table_row),
    "logarithmic": Function(places.logarithmic),
    "crossing": Function(crossing, whole=True),
    "fitted": Function(series.fitted, "{0}"),
    "correlated": Function(
        series.correlated, r"\sum_t {0}_t \cdot {1}_{{t - \delta}}", whole=True
    ),
    "lstm": Function(series.lstm, r"\mathrm{{LSTM}}({0}, {1})"),
    "in_pairs": Function(series.in_pairs),
    "pairs_real": Function(series.pairs_real),
    "one_way": Function(series.one_way),
    "pyramid": Function(series.pyramid),
}
CONSTANTS: Mapping[str, Any] = {"pi": np.pi, "infinity": np.inf}
