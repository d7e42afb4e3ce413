"""The public names: listed, sorted, complete, documented."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import regard


def listing_packages() -> list[str]:
    """Every package that lists its public names, the top one first."""
    found = pkgutil.walk_packages(regard.__path__, "regard.")
    names = ["regard", *(module.name for module in found if module.ispkg)]
    return [name for name in names if hasattr(import_module(name), "__all__")]


@pytest.mark.parametrize("name", listing_packages())
def test_listed_names_are_sorted_and_exist(name):
    module = import_module(name)
    assert list(module.__all__) == sorted(set(module.__all__), key=kind_and_name)
    missing = [entry for entry in module.__all__ if not hasattr(module, entry)]
    assert missing == []


@pytest.mark.parametrize("name", listing_packages())
def test_listed_names_are_documented(name):
    module = import_module(name)
    described = [
        entry
        for entry in module.__all__
        if inspect.isroutine(value := getattr(module, entry)) or inspect.isclass(value)
    ]
    bare = [entry for entry in described if not own_docstring(getattr(module, entry))]
    assert bare == []


def test_the_package_lists_everything_it_shows():
    shown = {
        name
        for name, value in vars(regard).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert shown <= set(regard.__all__)


def test_what_is_imported_later_is_listed_and_offered():
    assert set(regard._LATER) <= set(regard.__all__) <= set(dir(regard))


def kind_and_name(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff sorts them (RUF022)."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def own_docstring(value: object) -> str | None:
    """The docstring that stands on the object itself, not an inherited one."""
    return value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
