"""Attention for Keras 3: exact mechanisms, made visible."""

import importlib

from regard import _backend as _backend  # first: no backend, no Keras
from regard import compat, convert, layers, losses, models
from regard._version import __version__
from regard.core import features, normalizers, norms, positions
from regard.core.scopes import (
    Blocks,
    Causal,
    Dilated,
    Documents,
    Everywhere,
    Neighbourhood,
    Padding,
    Prefix,
    Strided,
    Window,
    big_bird,
)
from regard.layers.chosen_rows import weights_of
from regard.layers.planning import plan
from regard.seeing import drawing as _drawing
from regard.seeing import metrics
from regard.seeing.capture import attend_to, capture
from regard.seeing.intervention import intervening
from regard.seeing.probe import AttentionProbe
from regard.trace import Trace

__all__ = [
    "AttentionProbe",
    "Blocks",
    "Causal",
    "Dilated",
    "Documents",
    "Everywhere",
    "Neighbourhood",
    "Padding",
    "Prefix",
    "Strided",
    "Trace",
    "Window",
    "__version__",
    "attend_to",
    "big_bird",
    "capture",
    "compat",
    "convert",
    "diagnose",
    "explain",
    "explain_page",
    "features",
    "highlight",
    "intervening",
    "layers",
    "losses",
    "metrics",
    "models",
    "normalizers",
    "norms",
    "plan",
    "plot_alignment",
    "plot_heads",
    "positions",
    "report",
    "weights_of",
]

_LATER = {  # where they are, for these are imported when they are asked for
    "diagnose": "regard.reports.diagnosis",
    "explain": "regard.seeing.steps",
    "explain_page": "regard.reports.explained",
    "highlight": "regard.reports.highlighted",
    "plot_alignment": "regard.reports.figures",
    "plot_heads": "regard.reports.figures",
    "report": "regard.reports.report",
}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is public: names that are imported later are offered for completion too."""
    return sorted({*globals(), *__all__})


def _plot_maps(*args: object, **options: object) -> object:
    """What is captured stands below the figures, which are imported to draw it."""
    return importlib.import_module("regard.reports.map_figures").plot_maps(
        *args, **options
    )


_drawing.drawn_by(_plot_maps)
