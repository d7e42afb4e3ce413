"""Say which extra to install where an application's packages are missing."""

from __future__ import annotations

from importlib.util import find_spec

DATES = {"babel": "dates"}
TRANSLATE = {"tokenizers": "translate", "sacrebleu": "translate"}


def require(packages: dict[str, str]) -> None:
    """Raise ImportError, naming the extras, where one of the packages is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        extras = ",".join(sorted({packages[name] for name in missing}))
        raise ImportError(
            f"this needs {' and '.join(missing)}, which "
            f"{'are' if len(missing) > 1 else 'is'} not installed: "
            f'pip install "regard[{extras}]"'
        )
