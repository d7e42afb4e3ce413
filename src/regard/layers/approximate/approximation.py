"""What approximations of multi-head attention share."""

from keras import ops

from regard.core.approximate.masked import only
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import by_cause, check_sequences, gathered
from regard.layers.keras_internals import set_keras_mask
from regard.layers.linear.projections import (
    check_sizes,
    from_heads,
    take_options,
    to_heads,
)
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable


class Approximation(Adaptable, Traceable):
    """Multi-head attention that does not look at every pair; abstract.

    A mechanism is a final subclass that reads a memory in its own way (``read``).

    Call arguments:
        query: (B, T, Dq). Alone it attends to itself.
        value: (B, S, Dv), key: (B, S, Dk), by default the value.
        query_mask, value_mask, key_mask: (B, T), (B, S), (B, S), True = real. Implicit
            Keras masks are honoured too; all are joined by *and*.
        return_attention_scores: also return what the mechanism has for weights.

    Masks of single pairs and biases have no place where pairs are not looked at, so
    there are no such arguments. Output (B, T, Dq) or (B, T, output_shape).
    """

    def __init__(
        self, num_heads, key_dim, value_dim=None, output_shape=None, **options
    ):
        use_bias = options.pop("use_bias", True)
        kernels = take_options(options)
        super().__init__(**options)
        check_sizes(self, num_heads, key_dim, value_dim, output_shape)
        self.weight_options = kernels
        self.use_bias = bool(use_bias)
        self.supports_masking = True

    def add_weights(self, query_shape, key_shape):
        """Create weights beyond the projections."""

    def read(self, vectors, masks, asked):
        """Contexts (B, H, T, Dv), weights, and what else a trace should hold.

        ``vectors`` are query, key and value (B, H, ·, ·), ``masks`` those of query and
        key (B, ·) or None. Weights are None unless ``asked``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define read.")

    def weights_shape(self, batch, length, memory):
        """The shape of what ``return_attention_scores`` returns."""
        return batch, self.num_heads, length, memory

    @property
    def scale(self):
        return self.key_dim**-0.5

    def build(self, query_shape, value_shape=None, key_shape=None):
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        shapes = {"query": query_shape, "value": value_shape, "key": key_shape}
        check_sequences(**shapes)
        for name, size in (("query", "key"), ("key", "key"), ("value", "value")):
            shape = (self.num_heads, getattr(self, f"{size}_dim"))
            width = shapes[name][-1]
            dense = to_heads(self, name, width, shape, self.use_bias)
            setattr(self, f"{name}_dense", dense)
        self.add_weights(query_shape, key_shape)
        shape = (self.num_heads, self.value_dim)
        width = self.output_size or query_shape[-1]
        self.output_dense = from_heads(self, shape, width, self.use_bias)
        self.built = True

    def call(  # noqa: PLR0913 - Keras' arguments in Keras' order
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        given = gathered(query, value, key, query_mask, value_mask, key_mask)
        queries, keys, values = (
            ops.swapaxes(dense(each), 1, 2)
            for dense, each in (
                (self.query_dense, given.query),
                (self.key_dense, given.key),
                (self.value_dense, given.value),
            )
        )
        masks = given.query_mask, given.padding
        listeners = self.recorders()
        asked = bool(return_attention_scores or listeners)
        vectors = queries, keys, only(values, masks[1])
        context, weights, more = self.read(vectors, masks, asked)
        context = ops.cast(only(context, masks[0]), self.compute_dtype)
        output = self.output_dense(ops.swapaxes(context, 1, 2))
        if given.query_mask is not None:
            set_keras_mask(output, given.query_mask)
        for listener in listeners:
            parts = {"query": queries, "key": keys, "value": values, "context": context}
            parts |= {"weights": weights, "masks": by_cause(*masks)}
            listener.receive(self, {**parts, **more})
        if return_attention_scores:
            return output, ops.cast(weights, self.compute_dtype)
        return output

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        return (*query_shape[:-1], self.output_size or query_shape[-1])

    def compute_output_spec(self, query, value=None, key=None, **options):
        output = self.compute_output_shape(query.shape)
        memory = (query if value is None else value).shape[1]
        weights = self.weights_shape(*query.shape[:2], memory)
        asked = options.get("return_attention_scores")
        return spec_of_answer(self, asked, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self.output_size,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
