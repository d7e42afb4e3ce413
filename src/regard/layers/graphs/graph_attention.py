"""Graph attention networks (GAT)."""

from functools import partial

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.graphs.neighbour_attention import NeighbourAttention, in_heads
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class GraphAttention(NeighbourAttention):
    r"""$s_{ij} = \mathrm{LeakyReLU}(a_t^\top W h_i + a_s^\top W h_j)$, $c_i = \sum_j
    \mathrm{softmax}_j(s_{ij})\, W h_j$ over the neighbours j of node i.

    ``W`` (D, H, units), one for queries, keys and values; ``a_t``, ``a_s`` (H, units)
    are the halves of the paper's $a$ for the node that sees and the node that is seen.
    Nodes (B, N, D) in, (B, N, H*units) out, plus a bias. As the score is a sum, all
    nodes rank their neighbours alike; ``GraphAttentionV2`` does not.

    Velickovic, Cucurull, Casanova, Romero, Lio, Bengio 2017, "Graph attention
    networks", arXiv:1710.10903, section 2.1. Ours adds no self-loops and no activation:
    put the nodes themselves into the mask or the edges.

    Args:
        num_heads, units: heads, and width of each.
        concatenate: heads side by side, or else their mean (the paper's last layer).
        negative_slope: of the LeakyReLU.
        use_bias: add a bias to the output.
        edge_width: of edge features e, where there are any: then $a_e^\top W_e e$ is
            added inside the LeakyReLU.
        **options: kernel_ initializer, regularizer, constraint; of every attention
            (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where query, key and value differ in width, or an option is wrong.
    """

    mechanism = "graph_attention"

    def __init__(
        self,
        num_heads,
        units,
        concatenate=True,
        negative_slope=0.2,
        use_bias=True,
        edge_width=None,
        **options,
    ):
        super().__init__(num_heads, units, concatenate, use_bias, edge_width, **options)
        self.negative_slope = float(negative_slope)

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, query_width, key_width)
        check_equal_widths(self, key_width, value_width)
        shape = (self.num_heads, self.units)
        options = self.weight_options
        self.kernel = self.add_weight(
            (query_width, *shape), name="kernel", **options.for_kernel()
        )
        self.source = self.add_weight(
            shape, name="source_score_vector", **options.for_kernel()
        )
        self.target = self.add_weight(
            shape, name="target_score_vector", **options.for_kernel()
        )
        self.add_edge_kernel()
        if self.edge_width is not None:
            self.edge = self.add_weight(
                shape, name="edge_score_vector", **options.for_kernel()
            )
        if self.use_bias:
            shape = (self.merged_width,)
            self.bias = self.add_weight(shape, name="bias", initializer="zeros")

    def project_query(self, query):
        return _along(in_heads(query, self.kernel), self.target)

    def project_memory(self, key, value):
        values = in_heads(value, self.kernel)
        keys = values if key is value else in_heads(key, self.kernel)
        return _along(keys, self.source), values

    def added(self, projected):
        vectors = scores.widen(ops.convert_to_tensor(self.edge))
        found = ops.sum(scores.widen(projected) * vectors, axis=-1, keepdims=True)
        return found, None

    def recipe(self):
        score = partial(scores.leaky_sum, slope=self.negative_slope)
        return Recipe(score, self.normalizer)

    def merge(self, context, query):
        output = self.joined(context)
        return output + self.bias if self.use_bias else output

    def head_width(self, query_width):
        return 1

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


def _along(nodes, vectors):
    """(B, H, N, units) and (H, units) -> (B, H, N, 1), in float32 at least."""
    vectors = ops.expand_dims(scores.widen(ops.convert_to_tensor(vectors)), 1)
    return ops.sum(scores.widen(nodes) * vectors, axis=-1, keepdims=True)
