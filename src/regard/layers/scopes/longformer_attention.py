"""Windows, and global tokens with projections of their own."""

import keras
from keras import ops

from regard.core import normalizers, scores
from regard.core.attend import Recipe, Visibility, attend
from regard.core.scopes import Everywhere, Grid, Window
from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.einsum import einsum_dense
from regard.layers.inputs import check_sequences, checked, hide
from regard.layers.keras_internals import get_keras_mask
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weight_dropout import drawn_factors, set_dropout
from regard.layers.weights import WeightOptions, check_units

_PARTS = ("query", "key", "value")


@keras.saving.register_keras_serializable("regard")
class LongformerAttention(Adaptable, Traceable):
    r"""Self-attention in a window; global tokens see all and are seen by all.

    $o_i = W^O \mathrm{attend}(q_i, K, V)$ over $|p_i - p_j| \le w$ and the global keys;
    where token i is global, $o_i = W^O \mathrm{attend}(\hat q_i, \hat K, \hat V)$ over
    all keys, with second projections $\hat q, \hat k, \hat v$. Inputs (B, T, D),
    output (B, T, D), weights (B, H, T, T). Padded tokens are neither seen nor see.

    Both parts are computed for all tokens and chosen from, since which tokens are
    global may differ from example to example.

    Beltagy, Peters, Cohan 2020, arXiv:2004.05150, section 3.1, with its
    linear projections for global attention.

    Args:
        num_heads, key_dim: heads, and the width of each.
        window: w, keys seen on each side.
        global_positions: tokens that are global in every sequence.
        normalizer, dropout, seed: as of every attention.
        output_shape: width of the output, by default that of the inputs.
        use_bias: of the projections.
        kernel_/bias_ initializer, regularizer, constraint: of the projections.

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real; an implicit Keras mask is honoured.
        global_mask: (B, T), True = global, besides ``global_positions``.
        return_attention_scores: also return the weights.

    Raises:
        ValueError: for a size that is not a positive integer, or an unknown option.
    """

    mechanism = "longformer"

    def __init__(  # noqa: PLR0913 - what every attention with projections takes
        self,
        num_heads,
        key_dim,
        window,
        global_positions=(0,),
        normalizer="softmax",
        output_shape=None,
        use_bias=True,
        dropout=0.0,
        seed=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.key_dim = check_units("key_dim", key_dim)
        self.window = check_units("window", window)
        self.tokens = Everywhere(global_positions)
        self.normalizer = normalizers.get(normalizer)
        if not self.normalizer.rowwise:
            raise ValueError(
                "normalizer must work row by row: rows of global tokens and the others "
                f"are computed apart. Got {self.normalizer!r}."
            )
        self.output_size = output_shape
        if output_shape is not None:
            self.output_size = check_units("output_shape", output_shape)
        self.use_bias = bool(use_bias)
        set_dropout(self, dropout, seed)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.supports_masking = True

    def build(self, input_shape):
        check_sequences(inputs=input_shape)
        heads, width = self.num_heads, self.key_dim
        names = (*_PARTS, *(f"{part}_global" for part in _PARTS))
        shape = (None, heads, width)
        self.projections = {n: self._dense(n, "btd,dhk->bthk", shape) for n in names}
        for layer in self.projections.values():
            layer.build((None, None, input_shape[-1]))
        size = (None, self.output_size or input_shape[-1])
        self.output_dense = self._dense("attention_output", "bthd,hdo->bto", size)
        self.output_dense.build((None, None, heads, width))
        self.normalizer_weights = self.normalizer.build(self, heads, width)
        self.built = True

    def _dense(self, name, equation, shape):
        letters = equation.rsplit(">", 1)[1][2:] if self.use_bias else None
        return einsum_dense(self, name, equation, shape, letters)

    def call(
        self,
        inputs,
        mask=None,
        global_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        batch, length, _ = sizes_of(inputs)
        mask = get_keras_mask(inputs) if mask is None else mask
        keep = checked(mask, "mask", batch, length)
        inputs = hide(inputs, keep)
        chosen = self._global(
            checked(global_mask, "global_mask", batch, length), length
        )
        grid = Grid.of(length, length)
        near = Window(self.window, self.window).allows(grid)
        seen = ops.logical_or(near, ops.expand_dims(chosen, 1))  # (B | 1, T, T)
        local, whole = (
            self._read(inputs, ending, keep, pairs, training)
            for ending, pairs in (("", seen), ("_global", None))
        )
        rows = chosen[:, None, :, None]
        result = {name: ops.where(rows, whole[name], local[name]) for name in local}
        output = self.output_dense(ops.swapaxes(result["context"], 1, 2))
        masks = {} if keep is None else {"padding": keep[:, None, None]}
        for listener in self.recorders():
            extra = {"global": ops.cast(chosen, "float32")}
            listener.receive(self, {**result, "masks": masks, "extra": extra})
        if return_attention_scores:
            return output, ops.cast(result["weights"], self.compute_dtype)
        return output

    def _global(self, global_mask, length):
        """Which tokens are global, (B | 1, T)."""
        places = ops.arange(length, dtype="int32")
        fixed = [ops.equal(places, each) for each in self.tokens.positions]
        chosen = ops.zeros_like(places, dtype="bool")
        for each in fixed:
            chosen = ops.logical_or(chosen, each)
        chosen = ops.expand_dims(chosen, 0)
        return chosen if global_mask is None else ops.logical_or(chosen, global_mask)

    def _read(self, inputs, ending, keep, pairs, training):
        """One of the two parts, for all tokens."""
        query, key, value = (
            ops.swapaxes(self.projections[part + ending](inputs), 1, 2)
            for part in _PARTS
        )
        masks = {} if pairs is None else {"scope": ops.expand_dims(pairs, 1)}
        if keep is not None:
            masks |= {"padding": keep[:, None, None], "query": keep[:, None, :, None]}
        weights = tuple(map(ops.convert_to_tensor, self.normalizer_weights))
        recipe = Recipe(
            scores.standard_dot, self.normalizer, normalizer_parameters=weights
        )
        batch, length, _ = sizes_of(inputs)
        shape = (batch, self.num_heads, length, length)
        dropped = drawn_factors(self, shape, training)
        want = ("weights", "scores", "mask")
        found = attend(
            query, key, value, recipe, Visibility(masks), None, dropped, want
        )
        return {**found, "query": query, "key": key, "value": value}

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_size or input_shape[-1])

    def compute_output_spec(self, inputs, **options):
        output = self.compute_output_shape(inputs.shape)
        batch, length = inputs.shape[:2]
        weights = (batch, self.num_heads, length, length)
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "window": self.window,
            "global_positions": list(self.tokens.positions),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
            "output_shape": self.output_size,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "seed": self.seed,
            **self.weight_options.config(),
        }
