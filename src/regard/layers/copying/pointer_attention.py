"""Pointer network: the weights over the memory are the answer."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.masks import boolean_mask
from regard.core.scopes import Grid, Scope
from regard.core.shapes import sizes_of, with_head
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


@keras.saving.register_keras_serializable("regard")
class PointerAttention(Attention):
    r"""$p_{ij} = \mathrm{softmax}_j\big(v^\top \tanh(W_1 e_j + W_2 d_i)\big)$ is the
    output: which item of the memory comes next.

    ``d`` queries (B, T, Dq), ``e`` keys (B, S, Dk), ``W_2`` (Dq, units), ``W_1``
    (Dk, units), ``v`` (units,). Output (B, T, S): the number of answers grows with the
    memory. An item that was taken is hidden from later steps: in training those of
    ``targets``, step by step the likeliest one, or what ``visit`` is told. When all
    items are taken a row is zero.

    ``prepare``, ``initial_state`` and ``step`` give the values mixed as p says for a
    context, so that a decoder can be put around it; its weights are the answer.

    Vinyals, Fortunato, Jaitly 2015, "Pointer networks", arXiv:1506.03134, section 2.3.
    There items may be taken twice (``revisit=True``).

    Args:
        units: width in which queries and keys are compared.
        revisit: let an item be taken more than once.
        kernel_initializer, kernel_regularizer, kernel_constraint: of W_1, W_2 and v.
        **options: of every attention (normalizer, scope, dropout, seed) and layer.

    Call arguments, besides those of every attention:
        targets: whole numbers (B, T), the item taken at each step; -1 is none.

    Raises:
        ValueError: where units is not a positive integer, targets are not whole numbers
            (batch, query), or an option is unknown.
    """

    mechanism = "pointer"
    cacheable = False

    def __init__(
        self,
        units,
        revisit=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        if self.dropout:
            raise ValueError(
                "dropout must be 0, because the weights are the output, and weights "
                f"are returned before dropout. Got {self.dropout}."
            )
        self.units = check_units("units", units)
        self.revisit = bool(revisit)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_weights(self, query_width, key_width, value_width):
        for name, shape in {
            "query_kernel": (query_width, self.units),
            "key_kernel": (key_width, self.units),
            "score_vector": (self.units,),
        }.items():
            options = self.weight_options.for_kernel()
            setattr(self, name, self.add_weight(shape, name=name, **options))

    def project_query(self, query):
        return with_head(ops.matmul(query, self.query_kernel))

    def project_memory(self, key, value):
        return with_head(ops.matmul(key, self.key_kernel)), with_head(value)

    def head_width(self, query_width):
        return self.units

    def recipe(self):
        vector = ops.convert_to_tensor(self.score_vector)
        return Recipe(scores.additive, self.normalizer, (vector,))

    # The call ------------------------------------------------------------------------

    def call(
        self,
        query,
        value=None,
        key=None,
        *,
        targets=None,
        attention_mask=None,
        return_attention_scores=False,
        **options,
    ):
        if targets is not None and not self.revisit:
            free = untaken(targets, query, query if value is None else value)
            attention_mask = both(attention_mask, free, options)
        _, weights = super().call(
            query,
            value,
            key,
            attention_mask=attention_mask,
            return_attention_scores=True,
            **options,
        )
        return (weights, weights) if return_attention_scores else weights

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        return (*query_shape[:-1], value_shape[1])

    def compute_output_spec(self, query, value=None, key=None, **options):
        asked = {**options, "return_attention_scores": True}
        spec = super().compute_output_spec(query, value, key, **asked)[1]
        return (spec, spec) if options.get("return_attention_scores") else spec

    # Recurrent use -------------------------------------------------------------------

    def initial_state(self, memory):
        """Nothing is taken yet: ``taken`` (B, S)."""
        taken = ops.zeros_like(memory["mask"], dtype="bool")
        return {**super().initial_state(memory), "taken": taken}

    def step(self, query, memory, state):
        """One query (B, Dq); the likeliest item is taken in the state that follows.

        To take another one, as sampling and beams do, go on with
        ``visit(state, items)``, made from the state before the step.
        """
        taken = ops.cast(state["taken"], "bool")
        free, places = self._free(memory, state)
        context, weights, places = super().step(query, {**memory, "mask": free}, places)
        items = ops.argmax(weights[:, 0], axis=-1)
        after = ops.logical_or(taken, chosen(items, taken))
        after = ops.where(ops.any(free, axis=-1, keepdims=True), after, taken)
        return context, weights, {**places, "taken": after}

    def extra(self, query, memory, state):
        free, places = self._free(memory, state)
        return super().extra(query, {**memory, "mask": free}, places)

    def _free(self, memory, state):
        """What may be taken (B, S), and the state without what was."""
        mask = ops.cast(memory["mask"], "bool")
        taken = ops.cast(state["taken"], "bool")
        free = mask if self.revisit else ops.logical_and(mask, ops.logical_not(taken))
        return free, {name: leaf for name, leaf in state.items() if name != "taken"}

    def visit(self, state, items):
        """The state after these items (B,) were taken; -1 takes none."""
        taken = ops.cast(state["taken"], "bool")
        after = {**state, "taken": ops.logical_or(taken, chosen(items, taken))}
        if "position" in state:
            after["position"] = state["position"] + 1
        return after

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "revisit": self.revisit,
            **self.weight_options.config(),
        }


def chosen(items, taken):
    """Items (B,) as booleans (B, S)."""
    places = ops.arange(ops.shape(taken)[1], dtype="int32")
    return ops.equal(ops.cast(items, "int32")[:, None], places)


def untaken(targets, query, value):
    """(B, T, S): which items no earlier step has taken."""
    targets = ops.convert_to_tensor(targets)
    kind = keras.backend.standardize_dtype(targets.dtype)
    if "int" not in kind or len(targets.shape) != 2:
        raise ValueError(
            "targets must be whole numbers (batch, query), the item taken at each "
            f"step. Got {kind} {tuple(targets.shape)}."
        )
    places = ops.arange(ops.shape(value)[1], dtype="int32")
    now = ops.equal(ops.cast(targets, "int32")[..., None], places)
    now = ops.cast(now, "int32")
    return ops.cumsum(now, axis=1) - now < 1


def both(mask, free, options):
    """The caller's mask or scope, and what is still free, as one mask (B, T, S)."""
    if mask is None:
        return free
    if isinstance(mask, Scope):
        _, length, memory = sizes_of(free)
        names = ("query_positions", "key_positions")
        mask = mask.allows(Grid.of(length, memory, *map(options.get, names)))
    mask = boolean_mask(mask, "attention_mask")
    if len(mask.shape) == 4:
        mask = ops.squeeze(mask, 1)
    return ops.logical_and(mask if len(mask.shape) == 3 else mask[None], free)
