"""Where each shape is compiled, what no backend can change is left to the long run."""

import keras
import pytest

# NumPy on what a capture or a changed call gave, which other modules test themselves.
PORTABLE = (
    "test_adversary",
    "test_evidence",
    "test_example_models",
    "test_hub_classes",
    "test_hub_layers",
    "test_metrics_of_models",
    "steps/test_decoders",
    "steps/test_padding_and_edges",
    "steps/test_parts",
)


def pytest_collection_modifyitems(items):
    if keras.backend.backend() == "torch":
        return
    for item in items:
        if item.path.with_suffix("").as_posix().endswith(PORTABLE):
            item.add_marker(pytest.mark.thorough)
