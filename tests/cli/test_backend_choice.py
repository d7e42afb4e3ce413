"""Which backend a process runs on, settled before Keras is imported."""

import json
import os
import sys
from importlib import import_module

import pytest

import regard_backend


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with the named backends, whose Keras is set to the given one."""

    def make(installed, environment=None, configured=None):
        monkeypatch.setattr(
            regard_backend, "find_spec", lambda name: name in installed or None
        )
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setenv("KERAS_BACKEND", environment or "")
        if configured:
            (tmp_path / "keras.json").write_text(json.dumps({"backend": configured}))

    return make


def test_nothing_installed_says_what_to_install(machine):
    machine(installed=[])
    with pytest.raises(ImportError, match=r'pip install "regard\[jax\]"') as failure:
        regard_backend.require_backend()
    assert "KERAS_BACKEND=jax" in str(failure.value)


def test_another_one_installed_says_how_to_select_it(machine):
    machine(installed=["torch"])
    with pytest.raises(ImportError, match="KERAS_BACKEND=torch"):
        regard_backend.require_backend()


@pytest.mark.parametrize("environment, configured", [("torch", "jax"), (None, "torch")])
def test_what_keras_is_set_to_and_finds_is_accepted(machine, environment, configured):
    machine(["torch"], environment, configured)
    regard_backend.require_backend()


def test_the_check_sets_nothing(machine):
    machine(installed=["jax"], environment="jax")
    before = dict(os.environ)
    regard_backend.require_backend()
    assert dict(os.environ) == before


def test_a_damaged_settings_file_counts_as_none(machine, tmp_path):
    machine(installed=["tensorflow"])
    (tmp_path / "keras.json").write_text("{")
    assert regard_backend.requested_backend() == "tensorflow"


def test_the_command_takes_an_installed_backend_and_names_it(machine, capsys):
    machine(installed=["torch"])
    regard_backend.choose_backend(["evaluate", "runs/enru"])
    assert os.environ["KERAS_BACKEND"] == "torch"
    assert "torch" in capsys.readouterr().err


def test_the_command_leaves_a_choice_alone(machine, capsys):
    machine(installed=["jax", "torch"], environment="torch")
    regard_backend.choose_backend(["evaluate", "runs/enru"])
    assert os.environ["KERAS_BACKEND"] == "torch"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "words",
    [["--backend", "torch"], ["--backend=torch"], ["--backend=jax", "--backend=torch"]],
)
def test_the_option_wins(machine, words):
    machine(installed=["jax", "torch"], environment="jax")
    regard_backend.choose_backend(["train", "translate", *words])
    assert os.environ["KERAS_BACKEND"] == "torch"


def test_an_option_after_two_dashes_is_text(machine):
    machine(installed=["jax", "torch"], environment="jax")
    regard_backend.choose_backend(["translate", "runs/enru", "--", "--backend=torch"])
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_an_unknown_backend_is_refused(machine):
    machine(installed=["jax"])
    with pytest.raises(ValueError, match=r"--backend must be one of .* Got 'mxnet'"):
        regard_backend.choose_backend(["--backend", "mxnet"])


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_command_on_another_backend_has_no_tensorflow(machine, monkeypatch, backend):
    machine(installed=["tensorflow", backend], environment=backend)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    regard_backend.keep_tensorflow_quiet()
    with pytest.raises(ImportError):
        import_module("tensorflow")
    monkeypatch.delitem(sys.modules, "tensorflow")


def test_of_tensorflow_only_information_is_held_back(machine, monkeypatch, capfd):
    def talk(name):
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is ...\n")
        os.write(2, b"I0000 00:00:1 1 port.cc:153] custom operations\n")
        os.write(2, b"E0000 00:00:1 1 cuda.cc:52] failed\nWARNING:tensorflow:slow\n")

    machine(installed=["tensorflow"], environment="tensorflow")
    monkeypatch.setattr(regard_backend, "import_module", talk)
    regard_backend.keep_tensorflow_quiet()
    assert capfd.readouterr().err == (
        "E0000 00:00:1 1 cuda.cc:52] failed\nWARNING:tensorflow:slow\n"
    )


def test_an_error_meanwhile_is_seen(capfd):
    with pytest.raises(ValueError), regard_backend.without_notes():
        os.write(2, b"said\n")
        raise ValueError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "said\nlater\n"


def test_ctrl_c_while_importing_ends_without_a_traceback(machine, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    machine(installed=["jax"], environment="jax")
    monkeypatch.setattr(sys, "argv", ["regard", "list"])
    monkeypatch.setattr(regard_backend, "keep_tensorflow_quiet", interrupted)
    with pytest.raises(SystemExit) as stop:
        regard_backend.main()
    assert stop.value.code == 130
