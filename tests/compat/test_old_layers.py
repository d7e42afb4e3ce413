"""What holds for every stand-in: masks, saving, shapes, precision, seeing."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from tests.compat.old_layers import OLD, WITH_WEIGHTS

each = pytest.mark.parametrize("old", OLD, ids=str)
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def flat(outputs):
    """All outputs as NumPy."""
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [ops.convert_to_numpy(output) for output in outputs]


def first(outputs):
    return flat(outputs)[0]


@each
def test_padding_changes_nothing_that_is_real(old):
    layer, arrays = old.layer(), old.arrays()
    before = first(layer(old.given(arrays), mask=old.masks(KEEP)))
    changed = [np.array(array) for array in arrays]
    for array in changed[: len(changed) - (old.name == "residual")]:
        array[0, 3:] = 1e3
    after = first(layer(old.given(changed), mask=old.masks(KEEP)))
    real = (slice(None),) if old.pooled else KEEP
    assert_array_equal(after[real], before[real])


@each
def test_what_is_hidden_may_be_nan(old):
    layer, arrays = old.layer(), old.arrays()
    for array in arrays[: len(arrays) - (old.name == "residual")]:
        array[0, 3:] = np.nan
    for output in flat(layer(old.given(arrays), mask=old.masks(KEEP))):
        assert np.isfinite(output).all()


@each
def test_padding_equals_truncation(old):
    layer, arrays = old.layer(), old.arrays()
    whole = first(layer(old.given(arrays), mask=old.masks(KEEP)))
    cut = [
        array[:1, :3, :3] if array.shape[-1] == 5 else array[:1, :3] for array in arrays
    ]
    short = first(layer(old.given(cut)))
    assert_allclose(whole[:1] if old.pooled else whole[:1, :3], short, atol=1e-5)


@each
def test_an_example_that_is_all_padding_gives_zeros(old):
    mask = KEEP.copy()
    mask[0] = False
    outputs = flat(old.layer()(old.given(old.arrays()), mask=old.masks(mask)))
    if old.name == "residual":
        del outputs[1]  # scores that are passed on, taken before hiding
    if old.name in ("luong", "bahdanau"):  # tanh of nothing
        outputs = outputs[:1]
    for output in outputs:
        assert_array_equal(output[0], np.zeros_like(output[0]))


@each
def test_implicit_masks_are_honoured(old):
    arrays = old.arrays()
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    hidden = [np.where(KEEP[..., None], array, 0) for array in arrays]
    if old.name == "residual":
        hidden[-1] = arrays[-1]
    expected = first(old.layer_with(hidden, KEEP))
    masked = [keras.layers.Masking()(tensor) for tensor in inputs]
    if old.name == "residual":
        masked[-1] = inputs[-1]
    model = keras.Model(inputs, old.made(masked))
    assert_allclose(first(model(hidden)), expected, atol=1e-6)


@each
@pytest.mark.parametrize("faithful", [False, True])
def test_models_survive_saving(old, faithful, tmp_path):
    arrays = old.arrays()
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    layer = old.layer(faithful=faithful)
    model = keras.Model(inputs, layer(old.given(inputs)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for left, right in zip(flat(model(arrays)), flat(again(arrays)), strict=True):
        assert_array_equal(left, right)
    loaded = again.get_layer(layer.name)
    assert loaded.faithful is faithful
    assert loaded.get_config() == layer.get_config()


@each
def test_lengths_need_not_be_known(old):
    arrays = old.arrays()
    length = 5 if old.fixed_length else None
    shapes = [(length, array.shape[-1]) for array in arrays]
    if old.name == "residual":
        shapes[-1] = (None, None)
    layer = old.layer()
    inputs = [keras.Input(shape) for shape in shapes]
    model = keras.Model(inputs, layer(old.given(inputs)))
    for outputs in (model(arrays), model.predict(arrays, verbose=0)):
        assert_allclose(first(outputs), first(layer(old.given(arrays))), atol=1e-5)
    symbolic = [tuple(tensor.shape) for tensor in model.outputs]
    for expected, output in zip(symbolic, flat(model(arrays)), strict=True):
        sizes = zip(expected, output.shape, strict=True)
        assert all(size in (None, found) for size, found in sizes)


@each
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_close(old, policy):
    arrays = old.arrays()
    exact = old.layer()
    expected = first(exact(old.given(arrays)))
    layer = old.layer(dtype=policy)
    layer(old.given(arrays))
    layer.set_weights(exact.get_weights())
    output = layer(old.given(arrays))
    output = output[0] if isinstance(output, (list, tuple)) else output
    assert keras.backend.standardize_dtype(output.dtype) == layer.compute_dtype
    assert_allclose(
        ops.convert_to_numpy(ops.cast(output, "float32")), expected, atol=0.1
    )


@each
def test_a_trace_shows_what_was_done(old):
    layer, given = old.layer(), old.given(old.arrays())
    trace = layer.trace(given, mask=old.masks(KEEP))
    assert trace.mechanism == layer.mechanism
    assert trace.weights.ndim == 4
    assert_array_equal(trace.output, first(layer(given, mask=old.masks(KEEP))))
    assert_array_equal(
        trace.weights[0, ..., 3:], np.zeros_like(trace.weights[0, ..., 3:])
    )


@each
def test_a_model_with_it_can_be_captured(old):
    arrays = old.arrays()
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    layer = old.layer(name="old")
    model = keras.Model(inputs, layer(old.given(inputs)))
    with regard.capture(model) as maps:
        model(arrays)
    assert maps["old"].weights.shape[-1] == 5


@pytest.mark.parametrize("old", WITH_WEIGHTS, ids=str)
def test_a_training_step_moves_every_weight_that_matters(old):
    arrays = old.arrays(batch=4)
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    layer = old.layer()
    output = layer(old.given(inputs))
    output = output[0] if isinstance(output, (list, tuple)) else output
    model = keras.Model(inputs, keras.layers.Dense(1)(output))
    model.compile("sgd", "mse")
    before = {weight.name: np.array(weight) for weight in layer.weights}
    model.fit(arrays, np.ones((4, *model.output_shape[1:])), verbose=0)
    still = {
        w.name for w in layer.weights if np.array_equal(before[w.name], np.array(w))
    }
    cancelled = {"multiplicative": {"ba"}, "seq_weighted": {"b"}}
    assert still <= cancelled.get(old.name, set())


@each
def test_faithful_is_an_argument_whose_effect_is_told(old):
    assert "faithful:" in type(old.layer()).__doc__
    assert old.layer(faithful=True).get_config()["faithful"] is True


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"attention_width": 3}, "window"),
        ({"attention_width": 3, "history_only": True}, "window"),
        ({"history_only": True}, "causal"),
    ],
)
def test_what_a_self_attention_hides_is_shown_under_its_cause(options, cause):
    layer = regard.compat.keras_self_attention.SeqSelfAttention(**options)
    trace = layer.trace(np.random.default_rng(0).normal(size=(1, 6, 4)))
    assert set(trace.masks) == {cause}
    assert_array_equal(trace.masks[cause][0, 0], trace.weights[0, 0] > 0)
