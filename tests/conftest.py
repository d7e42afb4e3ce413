"""What all tests share: the backend they run on, and where reference data lies."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from tests.quick_xla import quick_flags

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Thousands of small programs are compiled, many of them more than once, and each runs
# for an instant: compile them quickly.
os.environ.setdefault("XLA_FLAGS", quick_flags(os.environ["KERAS_BACKEND"]))
_CACHE = Path(__file__).resolve().parent.parent / ".pytest_cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# What torch computes is small: threads would wait for each other, and for processors
# that a run on another backend holds at the same time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if os.environ["KERAS_BACKEND"] != "jax" and find_spec("torch"):
    import torch  # noqa: F401  before TensorFlow: the other order can crash

import pytest  # noqa: E402

BACKEND = os.environ["KERAS_BACKEND"]


def pytest_report_header() -> str:
    return f"keras backend: {BACKEND}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("backend")
        if marker is not None and BACKEND not in marker.args:
            reason = f"about {' and '.join(marker.args)}; this run is on {BACKEND}"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference vectors and corpora that lie outside the repository."""
    folder = os.environ.get("REGARD_SHARED")
    if not folder:
        pytest.skip("set REGARD_SHARED to the folder of reference data to run this")
    return Path(folder)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent
