"""A small network that reads how far a key is on the way back to the start."""

import keras
from keras import ops

from regard.core.positions.part import Position
from regard.core.scopes import Grid, check_integer
from regard.core.scores import widen

__all__ = ["FIRE"]

SMALL = 1e-6  # keeps the first query from a division by zero


@keras.saving.register_keras_serializable("regard")
class FIRE(Position):
    r"""$b_{hij} = f\big(\psi(|p_i - p_j|) / \psi(\max(L, p_i))\big)_h$.

    $\psi(x) = \log(1 + |c|\,x)$ spreads near distances out, and the quotient stays in
    [0, 1] however long the text is, so that the network $f(x) = W_2\,\mathrm{relu}(W_1
    x + b_1)$ never reads what it did not see in training. L is ``threshold`` times a
    learned number: up to it texts are short, and distances are compared as they are. A
    constant for a whole row, a bias behind $W_2$, is left out: softmax cancels it.

    Li et al. 2023, "Functional interpolation for relative positions improves long
    context transformers", arXiv:2310.04418. The paper is causal; here the distance has
    no sign, and later keys may be farther than 1.

    Args:
        units: width of the hidden layer.
        threshold: L before training.
        scale: c before training.
        embeddings_initializer: of $W_1$ and $W_2$.

    Raises:
        ValueError: where units is no positive integer, or another size not positive.
    """

    count = 5

    def __init__(
        self, units=32, threshold=512.0, scale=0.1, embeddings_initializer="he_uniform"
    ):
        self.units = check_integer("units", units, minimum=1)
        for name, each in {"threshold": threshold, "scale": scale}.items():
            if not each > 0:
                raise ValueError(f"{name} must be positive. Got {each!r}.")
        self.threshold, self.scale = float(threshold), float(scale)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, owner, num_heads, width, value_width=None):
        made = self.embeddings_initializer.clone
        parts = {
            "distance_scale": ((), keras.initializers.Constant(self.scale)),
            "distance_threshold": ((), "ones"),
            "distance_projection": ((1, self.units), made()),
            "distance_bias": ((self.units,), "zeros"),
            "bias_projection": ((self.units, num_heads), made()),
        }
        return tuple(
            owner.add_weight(shape, name=name, initializer=start)
            for name, (shape, start) in parts.items()
        )

    def bias(self, query, key, grid: Grid, *parameters):
        scale, threshold, first, offset, second = map(widen, parameters)
        limit = ops.abs(threshold) * self.threshold

        def spread(x):
            return ops.log(1.0 + ops.abs(scale) * x)

        places = ops.cast(ops.expand_dims(grid.query_positions, -1), "float32")
        distance = ops.cast(ops.abs(grid.distances()), "float32")  # (T,S) | (B,T,S)
        part = spread(distance) / (spread(ops.maximum(places, limit)) + SMALL)
        hidden = ops.relu(ops.expand_dims(part, -1) * first[0] + offset)
        found = ops.matmul(hidden, second)  # (…, T, S, H)
        while len(found.shape) < 4:
            found = ops.expand_dims(found, 0)
        return ops.transpose(found, (0, 3, 1, 2))

    def get_config(self):
        return {
            "units": self.units,
            "threshold": self.threshold,
            "scale": self.scale,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
