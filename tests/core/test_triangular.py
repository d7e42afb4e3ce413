"""Triangular systems are solved exactly, for any size."""

import keras
import numpy as np
import pytest
from keras import ops

from regard.core.scans.triangular import solve, triangular_inverse


@pytest.mark.parametrize("size", [1, 2, 5, 16])
def test_solutions_equal_those_of_numpy(size):
    rng = np.random.default_rng(size)
    system = np.tril(rng.normal(size=(2, 3, size, size)), -1) + np.eye(size)
    sides = rng.normal(size=(2, 3, size, 4))
    expected = np.linalg.solve(system, sides)
    system, sides = (
        ops.convert_to_tensor(x.astype("float32")) for x in (system, sides)
    )
    for found in (solve(system, sides), ops.matmul(triangular_inverse(system), sides)):
        found = keras.ops.convert_to_numpy(found)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * size)
