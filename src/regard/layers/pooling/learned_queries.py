"""What poolings share whose queries are weights, around a whole attention."""

import keras
from keras import ops

from regard.core.shapes import sizes_of
from regard.layers.adaptation import Adaptable
from regard.layers.inputs import check_sequences
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import check_units, fresh

_OF_EVERY_LAYER = ("name", "trainable", "dtype")


class LearnedQueries(Adaptable, Traceable):
    """A layer of attention asked by queries that are weights; abstract.

    Args:
        block: the attention, an ``Attention``.
        num_queries: how many.
        seed_initializer: of the queries; they must differ, or they stay the same.
    """

    seeds_name = "queries"

    def __init__(self, block, num_queries, seed_initializer="glorot_uniform", **own):
        super().__init__(**own)
        self.block = block
        self.num_queries = check_units(f"num_{self.seeds_name}", num_queries)
        self.seed_initializer = keras.initializers.get(seed_initializer)
        self.supports_masking = True

    @staticmethod
    def split_options(options):
        """Options of this layer, and those of the block, which shares the dtype."""
        names = (*_OF_EVERY_LAYER, "seed_initializer")
        own = {name: options.pop(name) for name in names if name in options}
        inner = {"name": "block", **options}
        return own, inner | ({"dtype": own["dtype"]} if "dtype" in own else {})

    def seed_width(self, width: int) -> int:
        """Width of a query."""
        raise NotImplementedError(f"{type(self).__name__} must define seed_width.")

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        shape = (self.num_queries, self.seed_width(inputs_shape[-1]))
        self.queries = self.add_weight(
            shape, name=self.seeds_name, initializer=fresh(self.seed_initializer)
        )
        self.block.build((None, *shape), inputs_shape)
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        batch = sizes_of(inputs)[0]
        queries = ops.expand_dims(ops.convert_to_tensor(self.queries), 0)
        queries = ops.broadcast_to(queries, (batch, *queries.shape[1:]))
        with self.passing_on(self.block):
            return self.block(
                queries,
                inputs,
                value_mask=mask,
                return_attention_scores=return_attention_scores,
                training=training,
            )

    @property
    def normalizer(self):
        """That of the attention inside."""
        return self.block.normalizer

    @property
    def dropout(self):
        """Of the weights, inside."""
        return self.block.dropout

    @property
    def seed(self):
        """Of the dropout, inside."""
        return self.block.seed

    def reports_for(self):
        """The attention inside is this layer's own."""
        return (self.block,)

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        width = self.seed_width(inputs_shape[-1])
        out = self.block.output_width(width, inputs_shape[-1])
        return (inputs_shape[0], self.num_queries, out)

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, training=None
    ):
        output = self.compute_output_shape(inputs.shape)
        batch, length, _ = inputs.shape
        weights = (batch, self.block.num_heads, self.num_queries, length)
        return spec_of_answer(self, return_attention_scores, output, weights)

    def get_config(self):
        inner = self.block.get_config()
        return {
            **{k: v for k, v in inner.items() if k not in _OF_EVERY_LAYER},
            **super().get_config(),
            "seed_initializer": keras.initializers.serialize(self.seed_initializer),
        }
