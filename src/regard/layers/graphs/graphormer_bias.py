"""Graphormer's bias: how far two nodes are apart, and what lies between."""

import keras
from keras import ops

from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class GraphormerBias(keras.layers.Layer):
    r"""$b_{hij} = B[\phi(i, j), h] + \frac{1}{n}\sum_{p<n} e_p^\top w_{ph}$.

    $\phi$ is the number of edges on the shortest path, as ``core.paths.hop_distances``
    counts them; longer paths than ``max_distance`` share the last row of ``B`` for
    distances, and pairs without a path (-1) have a row of their own. With
    ``path_features`` (B, N, N, P, F), the features $e_p$ of the edges along the path,
    their mean product with ``w`` (P, F, H) is added over the n = min(distance, P) edges
    that there are.

    Distances (B, N, N), whole numbers, in; (B, H, N, N) out, to be passed as ``bias=``
    to any attention. One such layer may serve all layers of a network, as in the paper.

    Ying et al. 2021, "Do transformers really perform bad for graph representation?",
    arXiv:2106.05234, sections 3.1.2 and 3.1.3.

    Args:
        num_heads: heads of the attention.
        max_distance: the longest distance told apart.
        embeddings_initializer: of B and w.

    Raises:
        ValueError: where distances are not whole numbers of that shape.
    """

    mechanism = "graphormer_bias"

    def __init__(
        self, num_heads, max_distance=20, embeddings_initializer="zeros", **options
    ):
        super().__init__(**options)
        self.num_heads = check_units("num_heads", num_heads)
        self.max_distance = check_units("max_distance", max_distance)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, distances_shape, path_features_shape=None):
        self.table = self._table(
            "distance_table", (self.max_distance + 2, self.num_heads)
        )
        self.edges = None
        if path_features_shape is not None:
            *_, length, width = path_features_shape
            if None in (length, width):
                raise ValueError(
                    "path_features must have a known number of edges and width. Got "
                    f"{tuple(path_features_shape)}."
                )
            self.edges = self._table("edge_table", (length, width, self.num_heads))
        self.built = True

    def _table(self, name, shape):
        start = self.embeddings_initializer.clone()
        return self.add_weight(shape, name=name, initializer=start)

    def call(self, distances, path_features=None):
        kind = keras.backend.standardize_dtype(distances.dtype)
        if "int" not in kind or len(distances.shape) != 3:
            raise ValueError(
                "distances must be whole numbers of shape (batch, nodes, nodes), -1 "
                f"where there is no path. Got {kind} of shape {tuple(distances.shape)}."
            )
        distances = ops.cast(distances, "int32")
        rows = ops.minimum(distances, self.max_distance)
        rows = ops.where(rows < 0, ops.full_like(rows, self.max_distance + 1), rows)
        found = ops.take(ops.convert_to_tensor(self.table), rows, axis=0)
        bias = ops.transpose(found, (0, 3, 1, 2))
        if path_features is None:
            return bias
        length = self.edges.shape[0]
        count = ops.clip(distances, 0, length)
        there = ops.arange(length, dtype="int32") < ops.expand_dims(count, -1)
        shown = ops.expand_dims(there, -1)
        features = ops.where(shown, path_features, ops.zeros_like(path_features))
        total = ops.einsum("bijpf,pfh->bhij", features, self.edges)
        mean = total / ops.cast(ops.maximum(count, 1), total.dtype)[:, None]
        return bias + mean

    def compute_output_shape(self, distances_shape, path_features_shape=None):
        return (distances_shape[0], self.num_heads, *distances_shape[1:])

    def compute_output_spec(self, distances, path_features=None):
        shape = self.compute_output_shape(distances.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "max_distance": self.max_distance,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
