"""The shapes written in the signatures of the core are those of the tensors."""

import numpy as np
import pytest
from beartype import beartype
from jaxtyping import TypeCheckError, jaxtyped
from keras import ops

from regard.core import attend as engine
from regard.core import normalizers, scores


def tensor(*shape):
    return ops.convert_to_tensor(np.ones(shape, "float32"))


def checked(function):
    return jaxtyped(typechecker=beartype)(function)


QUERY, KEY, NARROW = tensor(2, 3, 4, 5), tensor(2, 3, 6, 5), tensor(2, 3, 6, 7)
CALLS = {
    "dot": (scores.dot, ()),
    "scaled_dot": (scores.scaled_dot, (0.5,)),
    "additive": (scores.additive, (tensor(5),)),
    "cosine": (scores.cosine, (tensor(),)),
}


@pytest.mark.parametrize("name", CALLS)
def test_scores_have_the_shapes_they_declare(name):
    function, parameters = CALLS[name]
    found = checked(function)(QUERY, KEY, *parameters)
    assert tuple(found.shape) == (2, 3, 4, 6)


@pytest.mark.parametrize("name", CALLS)
def test_another_width_of_the_key_is_noticed(name):
    function, parameters = CALLS[name]
    with pytest.raises(TypeCheckError):
        checked(function)(QUERY, NARROW, *parameters)


def test_location_may_know_more_places_than_the_memory_has():
    places = tensor(2, 3, 4, 9)
    assert tuple(checked(scores.location)(places, NARROW).shape) == (2, 3, 4, 6)


def test_the_engine_returns_what_it_declares():
    recipe = engine.Recipe(scores.dot, normalizers.get("softmax"))
    want = ("weights", "scores", "mask")
    found = checked(engine.attend)(QUERY, KEY, NARROW, recipe, want=want)
    shapes = {name: tuple(each.shape) for name, each in found.items()}
    assert shapes["context"] == (2, 3, 4, 7) and shapes["weights"] == (2, 3, 4, 6)
    with pytest.raises(TypeCheckError):
        checked(engine.attend)(QUERY, KEY, tensor(2, 3, 5, 7), recipe)
