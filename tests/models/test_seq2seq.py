"""The translator: one step for training and search, padding, saving, learning."""

from functools import partial

import keras
import numpy as np
import pytest

from regard.models import SmoothedCrossEntropy
from tests.conformance.compiled import at_once
from tests.models.small import MODELS, array, make_ids, make_model


@pytest.mark.parametrize("name", MODELS)
def test_teacher_forced_logits_are_those_of_single_steps(name):
    model = make_model(name)
    source, target = make_ids()
    whole = at_once(partial(model, return_attention_scores=True))
    logits, weights = map(array, whole((source, target)))
    if weights.ndim == 3:
        weights = weights[:, None]
    memory = at_once(model.encode)(source)
    state = model.initial_state(memory)
    step = at_once(model.step)
    for place in range(target.shape[1]):
        found, looked, state = step(target[:, place], memory, state)
        np.testing.assert_allclose(array(found), logits[:, place], atol=2e-5)
        np.testing.assert_allclose(array(looked), weights[:, :, place], atol=2e-6)
    assert np.abs(logits[:, 0] - logits[:, 1]).max() > 0.1  # the steps do differ


@pytest.mark.parametrize("name", MODELS)
def test_every_leaf_has_the_batch_first_and_rows_are_independent(name):
    model = make_model(name)
    source, target = make_ids()
    memory = at_once(model.encode)(source)
    state = model.initial_state(memory)
    step = at_once(model.step)
    for leaf in keras.tree.flatten([memory, state]):
        assert leaf.shape[0] == len(source)
    order = np.array([2, 0, 0, 3])
    turned = keras.tree.map_structure(
        lambda leaf: keras.ops.take(leaf, order, axis=0), [memory, state]
    )
    expected = step(target[:, 1], memory, state)
    found = step(target[order, 1], *turned)
    pairs = zip(
        keras.tree.flatten(list(expected)), keras.tree.flatten(list(found)), strict=True
    )
    for whole, mixed in pairs:
        np.testing.assert_allclose(array(whole)[order], array(mixed), atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_padding_of_the_source_changes_nothing(name):
    model = make_model(name)
    source, target = make_ids()
    longer = np.concatenate([source, np.zeros((len(source), 3), "int32")], axis=1)
    ask = at_once(partial(model, return_attention_scores=True))
    found, weights = ask((longer, target))
    expected, _ = ask((source, target))
    np.testing.assert_allclose(array(found), array(expected), atol=3e-5)
    assert not array(weights)[..., source.shape[1] :].any()
    alone, _ = ask((source[3:, :3], target[3:]))  # row 3 has three real places
    np.testing.assert_allclose(array(found)[3:], array(alone), atol=3e-5)


def test_dict_and_pair_are_the_same_input():
    model = make_model()
    source, target = make_ids()
    named = model({"source": source, "target": target})
    np.testing.assert_array_equal(array(named), array(model((source, target))))


@pytest.mark.parametrize("name", MODELS)
def test_saving_keeps_everything(name, tmp_path):
    model = make_model(name, dropout=0.25)
    source, target = make_ids()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert described(loaded) == described(model)
    np.testing.assert_array_equal(
        array(loaded((source, target))), array(model((source, target)))
    )


def described(model):
    """The configuration without the shapes that a part happened to be built with."""

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k != "build_config"}
        return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

    return plain(model.get_config())


def test_one_batch_can_be_learnt_and_every_weight_moves():
    model = make_model()
    source, target = make_ids(batch=8)
    wanted = np.concatenate([target[:, 1:], np.full((8, 1), 2, "int32")], axis=1)
    before = model.get_weights()
    model.compile(
        keras.optimizers.Adam(3e-2, global_clipnorm=1.0),
        SmoothedCrossEntropy(),
        jit_compile=keras.backend.backend() == "jax",
    )
    losses = []
    for _ in range(40):
        inputs = {"source": source, "target": target}
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs, wanted)))
    assert losses[-1] < 0.3 * losses[0]
    for old, new, variable in zip(
        before, model.get_weights(), model.weights, strict=True
    ):
        assert np.abs(new - old).max() > 0, variable.path


def test_dropout_acts_in_training_only():
    model = make_model(dropout=0.5)
    batch = make_ids()
    calm = array(model(batch))
    np.testing.assert_array_equal(calm, array(model(batch, training=False)))
    assert np.abs(calm - array(model(batch, training=True))).max() > 1e-3
