"""Which backend Keras will run on: settled before Keras is imported.

Keras reads its choice once, while it is imported, and importing any module of
`regard` imports Keras. What must happen earlier therefore lives beside the package:
the check that `import regard` makes, and the start of the `regard` command.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

BACKENDS = ("jax", "tensorflow", "torch")
KERAS_DEFAULT = "tensorflow"
INTERRUPTED = 130  # a shell's status of what Ctrl-C ended
# A line of information before TensorFlow has read how much is wanted.
_NOTE = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog")


def installed_backends() -> list[str]:
    """Return the names of the backends that can be imported, preferred first."""
    return [name for name in BACKENDS if find_spec(name) is not None]


def requested_backend() -> str:
    """Return the name of the backend that `import keras` will take.

    That is `KERAS_BACKEND`, else the `backend` of `keras.json`, else tensorflow.
    Keras writes that file itself, naming tensorflow, the first time it is imported:
    the file alone does not say that somebody chose.
    """
    if name := os.environ.get("KERAS_BACKEND"):
        return name
    home = Path.home()
    base = home if os.access(home, os.W_OK) else Path("/tmp")  # as Keras does
    folder = Path(os.environ.get("KERAS_HOME", base / ".keras")).expanduser()
    try:
        settings = json.loads((folder / "keras.json").read_text())
        return str(settings["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return KERAS_DEFAULT


def require_backend() -> None:
    """Raise ImportError, saying what to install, where Keras could not start."""
    name = requested_backend()
    if name not in BACKENDS or find_spec(name) is not None:
        return  # an unknown name is Keras' to refuse; numpy and openvino are its too
    installed = installed_backends()
    if installed:
        raise ImportError(
            f"Keras would run on {name}, which is not installed; "
            f"{' and '.join(installed)} is. Select an installed backend by "
            f"KERAS_BACKEND={installed[0]} in the environment, or by "
            f'`import os; os.environ["KERAS_BACKEND"] = "{installed[0]}"` before '
            f"the first import of keras, or install the missing one: "
            f'pip install "regard[{name}]".'
        )
    raise ImportError(
        "Regard runs on Keras, and Keras needs a backend; none is installed. "
        'Install one: pip install "regard[jax]" (or "regard[tensorflow]", '
        '"regard[torch]"), then select it by the environment variable: '
        "KERAS_BACKEND=jax (or tensorflow, torch)."
    )


def choose_backend(arguments: Sequence[str]) -> None:
    """Settle the backend of this process for a command line.

    `--backend NAME` wins. Otherwise what Keras itself would take stands if it is
    installed; if not, and `KERAS_BACKEND` is unset, the first installed one is
    taken and named on standard error.
    """
    named = _option(arguments, "--backend")
    if named is not None:
        if named not in BACKENDS:
            raise ValueError(f"--backend must be one of {BACKENDS}. Got {named!r}.")
        os.environ["KERAS_BACKEND"] = named
    if os.environ.get("KERAS_BACKEND"):
        return
    installed = installed_backends()
    if installed and requested_backend() not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]
        print(
            f"regard: running on {installed[0]} (choose by --backend or KERAS_BACKEND)",
            file=sys.stderr,
        )


def keep_tensorflow_quiet() -> None:
    """Let a command print what it has to say, not what TensorFlow notes of itself.

    On another backend Keras imports TensorFlow only to know its shapes, which takes
    seconds and writes lines: a command needs none of it, so there is none for it.
    """
    if requested_backend() != "tensorflow":
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings, not information
    with without_notes():
        import_module("tensorflow")


@contextmanager
def without_notes() -> Iterator[None]:
    """Hold back what C++ writes to standard error; pass on all but information."""
    whole = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(whole, 2)
            os.close(whole)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _NOTE.match(line)))


def main() -> None:
    """Run the `regard` command."""
    try:
        choose_backend(sys.argv[1:])
        require_backend()
    except (ValueError, ImportError) as error:
        print(f"regard: {error}", file=sys.stderr)
        sys.exit(2)
    try:
        keep_tensorflow_quiet()
        from regard.cli import main as run

        sys.exit(run())
    except KeyboardInterrupt:  # importing takes seconds, in which one may think again
        sys.exit(INTERRUPTED)


def _option(arguments: Sequence[str], name: str) -> str | None:
    """Return the value of `name VALUE` or `name=VALUE`, the last one winning."""
    found = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == name and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif argument.startswith(f"{name}="):
            found = argument.partition("=")[2]
    return found
