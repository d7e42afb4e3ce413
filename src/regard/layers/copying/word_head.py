"""What layers that write words share: a vocabulary, and words beyond it."""

from keras import ops

from regard.core.copying import finished
from regard.core.scores import widen
from regard.layers.specs import spec_of_answer
from regard.layers.traceable import Traceable
from regard.layers.weights import WeightOptions, check_units


class WordHead(Traceable):
    """Turns queries into probabilities of words, some of them copied; abstract.

    Words 0..vocabulary_size-1 can be generated; the ``extra_size`` ids after them can
    be copied only.
    """

    def __init__(
        self,
        vocabulary_size,
        extra_size=0,
        log=False,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.vocabulary_size = check_units("vocabulary_size", vocabulary_size)
        if isinstance(extra_size, bool) or not isinstance(extra_size, int):
            raise ValueError(f"extra_size must be 0 or more. Got {extra_size!r}.")
        if extra_size < 0:
            raise ValueError(f"extra_size must be 0 or more. Got {extra_size}.")
        self.extra_size = extra_size
        self.log = bool(log)
        self.use_bias = bool(use_bias)
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )
        self.supports_masking = True

    @property
    def size(self) -> int:
        """How many words there are, those that can only be copied included."""
        return self.vocabulary_size + self.extra_size

    def add_kernel(self, name, *shape):
        """A kernel with the options of the constructor."""
        options = self.weight_options.for_kernel()
        return self.add_weight(shape, name=name, **options)

    def add_vocabulary(self, width):
        """The weights that score the words of the vocabulary."""
        self.output_kernel = self.add_kernel(
            "output_kernel", width, self.vocabulary_size
        )
        if self.use_bias:
            self.output_bias = self.add_weight(
                (self.vocabulary_size,), name="output_bias", initializer="zeros"
            )

    def logits(self, query):
        """(B, T, D) -> (B, T, V), float32 at least."""
        logits = ops.matmul(
            widen(query), widen(ops.convert_to_tensor(self.output_kernel))
        )
        if self.use_bias:
            logits = logits + widen(ops.convert_to_tensor(self.output_bias))
        return logits

    def finish(self, probabilities):
        """As the caller wants them: plain or logarithms, in the compute dtype."""
        return finished(probabilities, self.log, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def spec(self, query, value_length, scores):
        """Symbolic output (and weights) for a query and a memory."""
        output = (*query.shape[:-1], self.size)
        weights = (*query.shape[:-1], value_length)
        return spec_of_answer(self, scores, output, weights)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "extra_size": self.extra_size,
            "log": self.log,
            "use_bias": self.use_bias,
            **self.weight_options.config(),
        }
