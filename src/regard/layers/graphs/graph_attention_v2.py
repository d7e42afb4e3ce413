"""GATv2: graph attention whose ranking depends on who asks."""

from functools import partial

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.layers.graphs.neighbour_attention import NeighbourAttention, in_heads
from regard.layers.weights import check_equal_widths


@keras.saving.register_keras_serializable("regard")
class GraphAttentionV2(NeighbourAttention):
    r"""$s_{ij} = a^\top \mathrm{LeakyReLU}(W_t h_i + W_s h_j)$, $c_i = \sum_j
    \mathrm{softmax}_j(s_{ij})\, W_s h_j$ over the neighbours j of node i.

    ``W_t``, ``W_s`` (D, H, units) with biases, ``a`` (H, units). Nodes (B, N, D) in,
    (B, N, H*units) out, plus a bias. The nonlinearity stands before ``a``, so different
    nodes may prefer different neighbours.

    Brody, Alon, Yahav 2021, "How attentive are graph attention networks?",
    arXiv:2105.14491, section 3.3, equation 7. Ours adds no self-loops and no
    activation: put the nodes themselves into the mask or the edges.

    Args:
        num_heads, units: heads, and width of each.
        concatenate: heads side by side, or else their mean.
        negative_slope: of the LeakyReLU.
        share_weights: one W for both sides.
        use_bias: add biases to the projections and to the output.
        edge_width: of edge features e, where there are any: then $W_e e$ is added
            inside the LeakyReLU.
        **options: kernel_ initializer, regularizer, constraint; of every attention
            (normalizer, scope, dropout, seed) and layer.

    Raises:
        ValueError: where widths that share weights differ, or an option is wrong.
    """

    mechanism = "graph_attention_v2"

    def __init__(
        self,
        num_heads,
        units,
        concatenate=True,
        negative_slope=0.2,
        share_weights=False,
        use_bias=True,
        edge_width=None,
        **options,
    ):
        super().__init__(num_heads, units, concatenate, use_bias, edge_width, **options)
        self.negative_slope = float(negative_slope)
        self.share_weights = bool(share_weights)

    def add_weights(self, query_width, key_width, value_width):
        check_equal_widths(self, key_width, value_width)
        self.source = self._projection("source", key_width)
        if self.share_weights:
            check_equal_widths(self, query_width, key_width)
            self.target = self.source
        else:
            self.target = self._projection("target", query_width)
        self.add_edge_kernel()
        shape = (self.num_heads, self.units)
        options = self.weight_options.for_kernel()
        self.vectors = self.add_weight(shape, name="score_vector", **options)
        if self.use_bias:
            shape = (self.merged_width,)
            self.bias = self.add_weight(shape, name="bias", initializer="zeros")

    def _projection(self, name, width):
        """A kernel and, if wanted, a bias."""
        shape = (self.num_heads, self.units)
        options = self.weight_options.for_kernel()
        kernel = self.add_weight((width, *shape), name=f"{name}_kernel", **options)
        if not self.use_bias:
            return (kernel,)
        return kernel, self.add_weight(shape, name=f"{name}_bias", initializer="zeros")

    def project_query(self, query):
        return in_heads(query, *self.target)

    def project_memory(self, key, value):
        values = in_heads(value, *self.source)
        return values if key is value else in_heads(key, *self.source), values

    def recipe(self):
        return Recipe(
            partial(scores.leaky_additive, slope=self.negative_slope),
            self.normalizer,
            (ops.convert_to_tensor(self.vectors),),
            self.units,
        )

    def merge(self, context, query):
        output = self.joined(context)
        return output + self.bias if self.use_bias else output

    def head_width(self, query_width):
        return self.units

    def get_config(self):
        return {
            **super().get_config(),
            "negative_slope": self.negative_slope,
            "share_weights": self.share_weights,
        }
