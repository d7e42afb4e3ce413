"""Low-rank fine-tuning and eight-bit weights, as Keras' own layers have them."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import layers

X = np.random.default_rng(0).normal(size=(2, 7, 12)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.fixture
def model():
    inputs = keras.Input((None, 12))
    layer = layers.MultiHeadAttention(2, 6, name="heads")
    return keras.Model(inputs, layer(inputs, inputs))


def test_low_rank_weights_alone_are_trained_and_survive_a_file(model, tmp_path):
    before = numpy(model(X))
    heads = model.get_layer("heads")
    heads.enable_lora(2, sublayers=("query", "value"))
    assert_allclose(numpy(model(X)), before, atol=1e-6)  # B starts at zero
    names = {w.path for w in heads.trainable_weights}
    assert "heads/query/lora_kernel_a" in names and "heads/query/kernel" not in names
    assert "heads/key/kernel" in names
    frozen = numpy(heads.query_dense._kernel.value)
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=3, verbose=0)
    assert_array_equal(numpy(heads.query_dense._kernel.value), frozen)
    after = numpy(model(X))
    assert np.abs(after - before).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(loaded(X)), after, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have")
def test_eight_bits_stay_close_and_survive_a_file(model, tmp_path):
    exact = numpy(model(X))
    model.quantize("int8")
    heads = model.get_layer("heads")
    kinds = {keras.backend.standardize_dtype(w.dtype) for w in heads.weights}
    assert "int8" in kinds
    found = numpy(model(X))
    assert_allclose(found, exact, atol=0.03 * np.abs(exact).max())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(loaded(X)), found)


def test_one_layer_can_be_quantized_by_itself():
    layer = layers.MultiHeadAttention(2, 6)
    exact = numpy(layer(X, X))
    layer.quantize("int8")
    assert layer.query_dense.quantization_mode == "int8"
    assert_allclose(numpy(layer(X, X)), exact, atol=0.03 * np.abs(exact).max())


def test_a_layer_without_projections_says_so():
    layer = layers.AdditiveAttention(4)
    layer(X, X)
    with pytest.raises(ValueError, match="enable_lora needs a layer with projections"):
        layer.enable_lora(2)
    with pytest.raises(NotImplementedError, match="quantize needs a layer with"):
        layer.quantize("int8")


def test_an_unknown_projection_is_named():
    layer = layers.MultiHeadAttention(2, 6)
    layer(X, X)
    with pytest.raises(ValueError, match=r"sublayers must be names among .*'key'"):
        layer.enable_lora(2, sublayers=("kye",))


SEQUENCES = {
    "recurrence": lambda: layers.GatedLinearAttention(2, 6, name="heads"),
    "approximation": lambda: layers.NystromAttention(2, 6, landmarks=3, name="heads"),
    "hashes": lambda: layers.LSHAttention(2, 6, name="heads"),
    "windows": lambda: layers.LongformerAttention(2, 6, window=2, name="heads"),
}
of_sequences = pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES.keys())


@of_sequences
def test_what_is_no_soft_attention_is_adapted_too(make):
    inputs = keras.Input((7, 12))
    model = keras.Model(inputs, make()(inputs))
    heads = model.get_layer("heads")
    before = numpy(model(X))
    heads.enable_lora(2, sublayers=("value",))
    assert_allclose(numpy(model(X)), before, atol=1e-6)
    names = {w.path for w in heads.trainable_weights}
    assert "heads/value/lora_kernel_a" in names and "heads/value/kernel" not in names


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have")
@of_sequences
def test_eight_bits_of_what_is_no_soft_attention_survive_a_file(make, tmp_path):
    inputs = keras.Input((7, 12))
    model = keras.Model(inputs, make()(inputs))
    model.quantize("int8")
    found = numpy(model(X))
    kinds = [w.dtype for w in model.get_layer("heads").weights]
    assert "int8" in map(keras.backend.standardize_dtype, kinds)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(loaded(X)), found)


IMAGE = np.random.default_rng(1).normal(size=(2, 4, 5, 6)).astype("float32")
PICTURES = {
    "gate": lambda: layers.SqueezeExcitation(ratio=2, name="read"),
    "pixels": lambda: layers.NonLocalAttention(3, name="read"),
    "axes": lambda: layers.AxialAttention(2, 3, name="read"),
    "windows": lambda: layers.ShiftedWindowAttention(2, window=2, name="read"),
    "grid": lambda: layers.GridAttention(3, "tanh", name="read"),
}
of_pictures = pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES.keys())


def over_picture(make):
    inputs = keras.Input(IMAGE.shape[1:])
    model = keras.Model(inputs, make()(inputs))
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@of_pictures
def test_layers_over_images_learn_low_ranks(make, tmp_path):
    model = over_picture(make)
    before, reader = numpy(model(IMAGE)), model.get_layer("read")
    reader.enable_lora(2)
    assert_allclose(numpy(model(IMAGE)), before, rtol=1e-5, atol=1e-6)
    kernels = [w for w in reader.weights if w.name == "kernel"]
    added = [w for w in reader.trainable_weights if "lora_kernel_b" in w.path]
    assert len(added) == len(kernels) > 0 and not any(w.trainable for w in kernels)
    for each in added:
        each.assign(np.ones(each.shape))
    after = numpy(model(IMAGE))
    assert np.abs(after - before).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_allclose(numpy(loaded(IMAGE)), after, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have")
@of_pictures
def test_eight_bits_of_layers_over_images_survive_a_file(make, tmp_path):
    model = over_picture(make)
    exact = numpy(model(IMAGE))
    model.quantize("int8")
    found = numpy(model(IMAGE))
    assert_allclose(found, exact, atol=0.05 * np.abs(exact).max())
    kernels = [w for w in model.get_layer("read").weights if w.name == "kernel"]
    kinds = {keras.backend.standardize_dtype(w.dtype) for w in kernels}
    assert kinds == {"int8"}
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(numpy(loaded(IMAGE)), found)


def test_a_name_means_the_projections_of_both_axes():
    layer = layers.AxialAttention(2, 3)
    layer(IMAGE)
    layer.enable_lora(2, sublayers=("query",))
    added = [w.path for w in layer.weights if "lora_kernel_a" in w.path]
    assert sorted(path.split("/")[-3] for path in added) == ["height", "width"]
