"""Transformer convolution: dot products between neighbours, and a gated way round."""

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.graphs.neighbour_attention import NeighbourAttention, in_heads


@keras.saving.register_keras_serializable("regard")
class GraphTransformer(NeighbourAttention):
    r"""$c_i = \sum_j \mathrm{softmax}_j(q_i^\top k_j / \sqrt{d})\, v_j$ over the
    neighbours, $y_i = c_i + W_r h_i$, or $\beta_i W_r h_i + (1 - \beta_i)\, c_i$.

    Queries, keys and values by kernels (D, H, units) with biases; ``W_r`` (D, H*units)
    is the way round the attention, $\beta_i = \sigma(w^\top [c_i; r_i; c_i - r_i])$ its
    gate with $r_i = W_r h_i$. Nodes (B, N, D) in, (B, N, H*units) out.

    Shi et al. 2020, "Masked label prediction: unified message passing model for
    semi-supervised classification", arXiv:2009.03509.

    Args:
        num_heads, units: heads, and width of each.
        concatenate: heads side by side, or else their mean.
        root: add the way round.
        gated: weigh it by the gate.
        use_bias: of all projections.
        edge_width: of edge features e, where there are any: then $W_e e$ is added to
            the key and to the value.
        **options: kernel_ initializer, regularizer, constraint; of every attention
            (normalizer, scope, position, dropout, seed) and layer.

    Raises:
        ValueError: where ``gated`` stands without ``root``, or an option is wrong.
    """

    mechanism = "graph_transformer"

    def __init__(
        self,
        num_heads,
        units,
        concatenate=True,
        root=True,
        gated=False,
        use_bias=True,
        edge_width=None,
        **options,
    ):
        super().__init__(num_heads, units, concatenate, use_bias, edge_width, **options)
        self.root, self.gated = bool(root), bool(gated)
        if self.gated and not self.root:
            raise ValueError(
                "gated must be False where root is False: there is nothing to weigh. "
                f"Got {gated!r}."
            )

    def add_weights(self, query_width, key_width, value_width):
        heads = (self.num_heads, self.units)
        widths = {"query": query_width, "key": key_width, "value": value_width}
        self.projections = {
            name: self._projection(name, (width, *heads))
            for name, width in widths.items()
        }
        self.add_edge_kernel()
        if self.root:
            merged = self.merged_width
            self.projections["root"] = self._projection("root", (query_width, merged))
        if self.gated:
            self.gate_kernel = self.add_weight(
                (3 * self.merged_width, 1),
                name="gate_kernel",
                **self.weight_options.for_kernel(),
            )

    def _projection(self, name, shape):
        """A kernel and, if wanted, a bias."""
        options = self.weight_options.for_kernel()
        kernel = self.add_weight(shape, name=f"{name}_kernel", **options)
        if not self.use_bias:
            return [kernel]
        bias = self.add_weight(shape[1:], name=f"{name}_bias", initializer="zeros")
        return [kernel, bias]

    def project_query(self, query):
        return in_heads(query, *self.projections["query"])

    def project_memory(self, key, value):
        keys = in_heads(key, *self.projections["key"])
        return keys, in_heads(value, *self.projections["value"])

    def added(self, projected):
        return projected, projected

    def recipe(self):
        return Recipe(scores.standard_dot, self.normalizer)

    def merge(self, context, query):
        output = self.joined(context)
        if not self.root:
            return output
        kernel, *bias = self.projections["root"]
        root = ops.matmul(query, kernel)
        root = root + bias[0] if bias else root
        if not self.gated:
            return output + root
        both = ops.concatenate([output, root, output - root], axis=-1)
        logits = scores.widen(ops.matmul(both, self.gate_kernel))
        share = ops.cast(ops.sigmoid(logits), output.dtype)
        return share * root + (1 - share) * output

    def head_width(self, query_width):
        return self.units

    def get_config(self):
        return {**super().get_config(), "root": self.root, "gated": self.gated}
