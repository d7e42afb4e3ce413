"""Luong's local attention: a window around a place that is given or predicted."""

import keras
from keras import ops

from regard.core.alignments.locality import faded, local, placed, windowed
from regard.core.attend import Recipe
from regard.core.products import squashed
from regard.core.scopes.grid import check_integer
from regard.core.scores import widen
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class LocalAttention(Attention):
    r"""$s_{ij} = q_i^\top W k_j$ for $|j - p_i| \le D$ only.

    Predictive (local-p): the place is found by the query, and the weights fade,

    $p_i = S\,\sigma(v_p^\top \tanh(W_p q_i)),\quad
    a_{ij} = \mathrm{softmax}_j(s_{ij})\, e^{-(j - p_i)^2 / 2 \sigma^2},\quad
    \sigma = D / 2$

    so that a row sums to less than one, as published. Otherwise (local-m) $p_i = i$: by
    default queries stand at 0..T-1 here. ``j`` counts the real keys from 0 and ``S`` is
    their number, by ``value_mask`` and ``key_mask``, wherever the padding is. ``W``
    (Dq, Dk), ``W_p`` (Dq, units), ``v_p`` (units, 1). Output (B, T, Dv).

    Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.2. The edge of the window has
    no gradient; the bell has one.

    Args:
        window: D, how many keys to either side are seen.
        predictive: predict the place.
        units: width of the hidden layer that predicts it, by default that of a query.
        spread: $\sigma$, by default D / 2.
        renormalize: bring rows back to a sum of one.
        **options: of the kernels (kernel_initializer, kernel_regularizer,
            kernel_constraint) and of every attention but the position.

    Raises:
        ValueError: where an argument is not one of these, or a position is given.
    """

    mechanism = "local"
    cacheable = False  # places are parts of the memory's length

    def __init__(
        self,
        window=10,
        predictive=True,
        units=None,
        spread=None,
        renormalize=False,
        **options,
    ):
        self.weight_options = WeightOptions.taken_from(options)
        super().__init__(**options)
        if self.position is not None:
            raise ValueError(
                "position must be None for LocalAttention, which finds places itself. "
                f"Got {self.position!r}."
            )
        self.window = check_integer("window", window, minimum=1)
        self.predictive, self.renormalize = bool(predictive), bool(renormalize)
        self.units = None if units is None else check_units("units", units)
        if spread is not None and not spread > 0:
            raise ValueError(f"spread must be a positive number. Got {spread!r}.")
        self.spread = None if spread is None else float(spread)

    def add_weights(self, query_width, key_width, value_width):
        kernel = self.weight_options.for_kernel
        shape = (query_width, key_width)
        self.kernel = self.add_weight(shape, name="kernel", **kernel())
        if self.predictive:
            shape = (query_width, self.units or query_width)
            self.place_query_kernel = self.add_weight(
                shape, name="place_query_kernel", **kernel()
            )
            shape = (shape[1], 1)
            self.place_kernel = self.add_weight(shape, name="place_kernel", **kernel())

    def project_query(self, query):
        """The query, and behind it where in the memory it looks, from 0 to 1."""
        if self.predictive:
            hidden = squashed(query, self.place_query_kernel)
            place = ops.sigmoid(widen(ops.matmul(hidden, self.place_kernel)))
        else:
            place = ops.zeros_like(widen(query[..., :1]))
        return with_head(ops.concatenate([widen(query), place], axis=-1))

    def project_memory(self, key, value):
        kernel = ops.transpose(ops.convert_to_tensor(self.kernel))
        return with_head(ops.matmul(key, kernel)), with_head(value)

    def _placed(self, vectors, places, keys=False):
        """Without prediction a query looks where it stands."""
        if keys or self.predictive:
            return vectors
        places = ops.cast(places, vectors.dtype)
        places = places[None] if len(places.shape) == 1 else places
        places = ops.broadcast_to(places[:, None, :, None], ops.shape(vectors[..., :1]))
        return ops.concatenate([vectors[..., :-1], places], axis=-1)

    def initial_state(self, memory):
        if self.predictive:
            return super().initial_state(memory)
        return {"position": ops.zeros((ops.shape(memory["mask"])[0],), dtype="int32")}

    def usual_positions(self, length):
        return None if self.predictive else ops.arange(length, dtype="int32")

    def recipe(self):
        spread = self.spread or self.window / 2
        fade = windowed(self.window, False)
        if self.predictive:
            fade = faded(spread, self.renormalize, self.window)
        return Recipe(
            local(self.window, self.predictive),
            self.normalizer,
            settle=placed,
            fade=fade,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "window": self.window,
            "predictive": self.predictive,
            "units": self.units,
            "spread": self.spread,
            "renormalize": self.renormalize,
            **self.weight_options.config(),
        }
