"""What attention on graphs shares: neighbours by a mask or by a list of edges."""

import keras
from keras import ops

from regard.core.edges import Edges, along_edges
from regard.core.normalizers import Softmax
from regard.core.shapes import sizes_of
from regard.layers.attention import Attention
from regard.layers.inputs import by_cause, gathered, hide
from regard.layers.keras_internals import set_keras_mask
from regard.layers.weight_dropout import drawn_factors
from regard.layers.weights import WeightOptions, check_units

_OPTIONS = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "kernel_constraint": None,
}


class NeighbourAttention(Attention):
    """Nodes (B, N, D) that look at their neighbours; abstract.

    Neighbours are told by ``attention_mask`` (B, N, N), True where the query (row) sees
    the key (column), or by ``edges`` (B, E, 2), whole numbers: the node that is seen
    and the node that sees, both negative where an example has fewer edges. Both ways
    give the same output; with edges time and memory go with E, weights are (B, H, E),
    and attention_mask, bias, scopes, positions and normalizers other than softmax are
    refused. With ``edge_width`` every edge has features (B, E, edge_width) of its own,
    passed as ``edge_features``. A node that sees none gets zeros before the bias. A
    node sees itself only where the mask or an edge says so.

    Heads stand side by side in the output (B, N, H*units), or are averaged to
    (B, N, units) where ``concatenate`` is False.
    """

    num_heads_shown = True

    def __init__(
        self,
        num_heads,
        units,
        concatenate=True,
        use_bias=True,
        edge_width=None,
        **options,
    ):
        named = {name: options.pop(name, usual) for name, usual in _OPTIONS.items()}
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.units = check_units("units", units)
        self.concatenate = bool(concatenate)
        self.use_bias = bool(use_bias)
        self.edge_width = edge_width
        if edge_width is not None:
            self.edge_width = check_units("edge_width", edge_width)
        self.weight_options = WeightOptions(**named)

    def call(  # noqa: PLR0913 - the arguments of every attention, then edges
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
        *,
        bias=None,
        query_positions=None,
        key_positions=None,
        state=None,
        edges=None,
        edge_features=None,
    ):
        featured = self.edge_width is not None
        if featured != (edge_features is not None) or (featured and edges is None):
            raise ValueError(
                "edge_features must be given with edges where edge_width is, here "
                f"{self.edge_width}, and nowhere else. Got edges="
                f"{'None' if edges is None else 'some'} and edge_features="
                f"{'None' if edge_features is None else 'some'}."
            )
        if edges is None:
            return super().call(
                query,
                value,
                key,
                query_mask,
                value_mask,
                key_mask,
                attention_mask,
                return_attention_scores,
                training,
                use_causal_mask,
                bias=bias,
                query_positions=query_positions,
                key_positions=key_positions,
                state=state,
            )
        self._check_edges_alone(attention_mask, use_causal_mask, bias, state)
        given = gathered(query, value, key, query_mask, value_mask, key_mask)
        return self._along(
            edges, edge_features, given, return_attention_scores, training
        )

    def _check_edges_alone(self, attention_mask, causal, bias, state):
        unwanted = {
            "attention_mask": attention_mask is not None,
            "use_causal_mask": causal,
            "bias": bias is not None,
            "state": state is not None,
            "scope": self.scope is not None,
            "position": self.position is not None,
            "normalizer": not isinstance(self.normalizer, Softmax),
        }
        for name, given in unwanted.items():
            if given:
                raise ValueError(
                    f"{name} cannot go with edges, along which softmax alone works. "
                    "Got both. Pass the neighbours as attention_mask= instead."
                )

    def _along(self, edges, features, given, asked, training):
        ends = Edges.of(
            edges, given.length, given.memory, given.query_mask, given.padding
        )
        keys, values = self.project_memory(given.key, given.value)
        queries = self.project_query(given.query)
        rows = sizes_of(given.query)[0] * ends.sizes[1]
        keep = drawn_factors(self, (rows, self.num_heads), training)
        added = (None, None)
        if features is not None:
            features = ops.reshape(features, (rows, self.edge_width))
            features = hide(features, ends.real)
            added = self.added(ops.einsum("ef,fhu->ehu", features, self.edge_kernel))
        result = along_edges(queries, keys, values, self.recipe(), ends, keep, added)
        output = self.merge(result["context"], given.query)
        if given.query_mask is not None:
            set_keras_mask(output, given.query_mask)
        for listener in self.recorders():
            extra = {"edges": edges, "edge_scores": result["scores"]}
            extra["edge_weights"] = result["weights"]
            extra["edge_real"] = ops.broadcast_to(
                ops.reshape(ends.real, (-1, 1, ends.sizes[1])),
                ops.shape(result["weights"]),
            )
            parts = {"query": queries, "key": keys, "value": values, "extra": extra}
            parts["masks"] = by_cause(given.query_mask, given.padding)
            listener.receive(self, {**parts, "context": result["context"]})
        if asked:
            return output, ops.cast(result["weights"], self.compute_dtype)
        return output

    def compute_output_spec(self, query, value=None, key=None, **kwargs):
        edges = kwargs.pop("edges", None)
        kwargs.pop("edge_features", None)
        found = super().compute_output_spec(query, value, key, **kwargs)
        if edges is None or not kwargs.get("return_attention_scores"):
            return found
        shape = (query.shape[0], self.num_heads, edges.shape[1])
        return found[0], keras.KerasTensor(shape, dtype=self.compute_dtype)

    # For mechanisms ------------------------------------------------------------------

    def add_edge_kernel(self):
        """The projection of edge features to all heads, where edges have any."""
        if self.edge_width is not None:
            self.edge_kernel = self.add_weight(
                (self.edge_width, self.num_heads, self.units),
                name="edge_kernel",
                **self.weight_options.for_kernel(),
            )

    def added(self, projected):
        """What edges (B * E, H, units) add to the keys and to the values they carry."""
        return projected, None

    @property
    def merged_width(self):
        """The width of all heads together."""
        return self.num_heads * self.units if self.concatenate else self.units

    def output_width(self, query_width, value_width):
        return self.merged_width

    def joined(self, context):
        """(B, H, N, units) -> (B, N, H*units), or the mean of the heads."""
        if not self.concatenate:
            return ops.mean(context, axis=1)
        batch, _, length, _ = sizes_of(context)
        context = ops.swapaxes(context, 1, 2)
        return ops.reshape(context, (batch, length, self.merged_width))

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "units": self.units,
            "concatenate": self.concatenate,
            "use_bias": self.use_bias,
            "edge_width": self.edge_width,
            **self.weight_options.config(),
        }


def in_heads(inputs, kernel, bias=None):
    """(B, N, D) through (D, H, units) -> (B, H, N, units)."""
    outputs = ops.einsum("bnd,dhu->bhnu", inputs, kernel)
    return outputs if bias is None else outputs + ops.expand_dims(bias, 1)
