"""Saving a run so that it can go on after being killed at any moment."""

import zipfile
from pathlib import Path
from typing import Any

import keras

from regard.apps.translate.run_folder import RunFolder


def save_last(folder: RunFolder, model: Any) -> None:
    """Write weights, averages and the optimizer's state as `last.keras`.

    The optimizer counts its steps, so this one file says where the run stands; the
    metrics, written before, hold the rest of that step (time used, place in the data).
    """
    folder.save(folder.last, model.save)


def save_best(folder: RunFolder, model: Any) -> None:
    """Write the model as it is now, without an optimizer, as `best.keras`."""
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    folder.save(folder.best, bare.save)


def load_last(folder: RunFolder) -> tuple[Any, dict[str, Any]] | None:
    """Return the model of the last checkpoint and the metrics of its step.

    None where the run stopped before its first checkpoint. Metrics of later steps,
    which will be repeated, are dropped.

    Raises:
        ValueError: the checkpoint is damaged, or the metrics do not reach it.
    """
    for suffix in ("keras", "json", "jsonl"):
        for torn in folder.path.glob(f".*.{suffix}"):  # a save that was killed
            torn.unlink()
    if not folder.last.is_file():
        folder.rewind_metrics(0)
        return None
    model = read_model(folder.last)
    step = int(model.optimizer.iterations)
    folder.rewind_metrics(step)
    lines = [line for line in folder.read_metrics() if line.get("step") == step]
    facts: dict[str, Any] = {}
    for line in lines:
        facts |= line
    if step and "seconds" not in facts:
        raise ValueError(
            f"{folder.metrics} must hold the step {step} of {folder.last.name}, and "
            "does not. Train again into a new folder."
        )
    return model, facts


def read_model(path: Path, compile: bool = True) -> Any:
    """Load a checkpoint; of a damaged one Keras would say that there is no file."""
    if not _is_whole(path):
        raise ValueError(
            f"{path}: the checkpoint is damaged, not a whole .keras file. Copy it "
            "again, or train into a new folder."
        )
    return keras.models.load_model(path, compile=compile)


def _is_whole(path: Path) -> bool:
    """Whether every part of the archive is what its sum says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except zipfile.BadZipFile:
        return False


def best_accuracy(folder: RunFolder) -> float:
    """Return the best accuracy on the development pairs so far."""
    found = [
        line["dev_accuracy"] for line in folder.read_metrics() if "dev_accuracy" in line
    ]
    return max(found, default=-1.0)
