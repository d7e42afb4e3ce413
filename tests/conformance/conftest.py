"""Compiled programs of one mechanism are of no use to the next: let them go."""

import gc
import sys

import pytest

from tests.conformance.subject import subject_of

MECHANISMS_BETWEEN = 10


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Forget compiled programs and subjects after every few mechanisms on JAX."""
    jax = sys.modules.get("jax")
    if jax is None or case_of(item) == case_of(nextitem):
        return
    _done.append(case_of(item))
    if len(_done) % MECHANISMS_BETWEEN == 0:
        subject_of.cache_clear()
        jax.clear_caches()
        gc.collect()


_done: list[str | None] = []


def case_of(item):
    """The name of the row a test is about, if any."""
    call = getattr(item, "callspec", None)
    case = None if call is None else call.params.get("case")
    return getattr(case, "name", None)
