"""One row per mechanism, and per option that changes what it computes.

Each module of this folder lists rows of a group of mechanisms in ``CASES``.
"""

import pkgutil
from importlib import import_module

MODULES = sorted(module.name for module in pkgutil.iter_modules(__path__))
CASES = [case for name in MODULES for case in import_module(f"{__name__}.{name}").CASES]
