"""Dropout of attention weights, drawn by the layer and handed to the engine."""

import keras
from keras import ops


def set_dropout(layer, rate, seed):
    """Give a layer ``dropout``, ``seed`` and, where needed, ``seed_generator``.

    Raises:
        ValueError: where the rate is not in [0, 1).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout must lie in [0, 1). Got {rate!r}.")
    layer.dropout = float(rate)
    layer.seed = seed
    if layer.dropout:
        layer.seed_generator = keras.random.SeedGenerator(seed)


def drawn_factors(layer, shape, training):
    """0 or 1/(1 - rate) for every weight, or None where nothing is dropped.

    Drawn here, outside every loop and recomputation, which would draw again.
    """
    if not (training and layer.dropout):
        return None
    return keras.random.dropout(
        ops.ones(shape), layer.dropout, seed=layer.seed_generator
    )


def drawing(layer, training):
    """What draws dropout factors for scores (B, maps, T, S), or None.

    The engine calls it once, when it knows how many weights its path makes.
    """
    if not (training and layer.dropout):
        return None

    def draw(batch, maps, *pairs):
        shape = (batch, maps // layer.maps_per_head, *pairs)
        return drawn_factors(layer, shape, training)

    return draw
