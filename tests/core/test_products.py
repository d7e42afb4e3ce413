"""Large products are those of NumPy, and their gradients stay."""

import keras
import numpy as np
import pytest
from keras import ops

from regard.core.products import product, squashed


class Product(keras.layers.Layer):
    """A kernel and a bias."""

    def __init__(self, width, units):
        super().__init__()
        self.kernel = self.add_weight((width, units), initializer="normal")
        self.bias = self.add_weight((units,), initializer="normal")
        self.built = True

    def call(self, x):
        return product(x, self.kernel, self.bias)


@pytest.mark.parametrize("shape", [(3, 8), (700, 64), (7, 100, 64), (0, 64)])
@pytest.mark.parametrize("transposed", [False, True])
def test_it_is_the_product(shape, transposed):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("float32")
    kernel = rng.normal(size=(96, shape[-1])).astype("float32").T
    bias = rng.normal(size=96).astype("float32")
    given = ops.convert_to_tensor(np.ascontiguousarray(kernel))
    if transposed:
        given = ops.transpose(ops.convert_to_tensor(np.ascontiguousarray(kernel.T)))
    found = ops.convert_to_numpy(product(ops.convert_to_tensor(x), given))
    expected = x.astype("float64") @ kernel
    near = {"rtol": 0, "atol": 1e-5 * np.abs(expected).max(initial=1)}
    np.testing.assert_allclose(found, expected, **near)
    found = product(ops.convert_to_tensor(x), given, ops.convert_to_tensor(bias))
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected + bias, **near)


@pytest.mark.parametrize("rows", [3, 700])
@pytest.mark.parametrize("size", [1e-6, 1.0])
def test_it_is_squashed_by_tanh_however_small(rows, size):
    rng = np.random.default_rng(2)
    x = rng.random((2, rows, 64), "float32")  # of one sign, so that nothing cancels
    kernel = size * rng.random((64, 96), "float32") / 64
    bias = size * rng.random(96, "float32")
    given = [ops.convert_to_tensor(each.astype("float32")) for each in (kernel, bias)]
    exact = x.astype("float64") @ ops.convert_to_numpy(given[0]).astype("float64")
    found = squashed(ops.convert_to_tensor(x), given[0])
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.tanh(exact), rtol=2e-6)
    found = squashed(ops.convert_to_tensor(x), *given)
    exact = exact + ops.convert_to_numpy(given[1])
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.tanh(exact), rtol=2e-6)


def test_large_products_are_learnt():
    """By a training step after calls without gradients."""
    layer = Product(64, 96)
    x = np.random.default_rng(1).normal(size=(700, 64)).astype("float32")
    model = keras.Sequential([layer])
    before = [weight.copy() for weight in layer.get_weights()]
    model.predict(x, verbose=0)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(x, np.zeros((700, 96), "float32"), batch_size=700, verbose=0)
    expected = x.T @ (2 * (x @ before[0] + before[1]) / (700 * 96))
    moved = before[0] - layer.get_weights()[0]
    np.testing.assert_allclose(moved, expected, atol=1e-5)
