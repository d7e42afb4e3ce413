"""The package as it is installed: built, complete, and helpful without a backend."""

import os
import subprocess
import sys
import zipfile

import pytest


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([sys.executable, *command, str(root)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_the_wheel_has_every_file_of_the_source(root, wheel):
    source = {
        path.relative_to(root / "src").as_posix()
        for path in (root / "src").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert source <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_names_the_command_and_its_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = (name for name in names if name.endswith("entry_points.txt"))
        assert b"regard = regard_backend:main" in archive.read(entry)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_without_a_backend_the_import_says_what_to_install(installed):
    # -S leaves out site-packages: nothing but the wheel is installed.
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); import regard"
    result = run("-S", "-c", code, KERAS_BACKEND="", PYTHONPATH="")
    assert result.returncode != 0
    assert "ImportError: Regard runs on Keras" in result.stderr
    assert 'pip install "regard[jax]"' in result.stderr


def test_with_a_backend_the_installed_package_runs(installed):
    code = "import regard; print(regard.__file__)"
    result = run("-c", code, PYTHONPATH=str(installed))
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().startswith(str(installed))
