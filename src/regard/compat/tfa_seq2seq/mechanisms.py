"""The mechanisms of TensorFlow Addons that remember nothing from step to step."""

import keras
from keras import ops

from regard.compat.reader import register
from regard.core import scores
from regard.core.attend import Recipe
from regard.core.shapes import with_head
from regard.layers.attention import Attention
from regard.layers.weights import check_units, fresh

__all__ = ["AttentionMechanism", "BahdanauAttention", "LuongAttention"]


class AttentionMechanism(Attention):
    """What the mechanisms share; abstract.

    As in the original it is asked once a step, by ``AttentionWrapper``; unlike there
    the memory is an argument and never kept on the layer: ``prepare(memory, value_mask=
    mask)``, ``initial_state(prepared)``, ``step(query, prepared, state)``. Called as a
    layer, ``mechanism(query, memory)``, it answers all queries at once.
    """

    def __init__(self, units, memory, memory_sequence_length, probability_fn, options):
        refuse_memory(memory, memory_sequence_length)
        super().__init__(normalizer=probability_fn, **options)
        self.units = check_units("units", units)

    def project_memory(self, key, value):
        return with_head(ops.matmul(key, self.memory_kernel)), with_head(value)

    def get_config(self):
        config = super().get_config()
        probability_fn = config.pop("normalizer")
        none = {"memory": None, "memory_sequence_length": None}
        return {**config, **none, "units": self.units, "probability_fn": probability_fn}


@register("tfa_seq2seq")
class BahdanauAttention(AttentionMechanism):
    r"""$e_j = v^\top \tanh(W_q s + W_m m_j)$, or normed $g \frac{v}{\lVert v \rVert}$
    in place of v and $+ b$ within.

    ``s`` query (B, Dq), ``m`` memory (B, S, Dm). Weights in the original's order:
    query_kernel (Dq, units), memory_kernel (Dm, units), attention_v (units,), and with
    ``normalize`` attention_g () and attention_b (units,).

    Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, appendix A.1.2; Salimans, Kingma 2016,
    arXiv:1602.07868, for the norm.

    Args:
        units: width in which query and memory are compared.
        memory, memory_sequence_length: None; see ``AttentionMechanism``.
        normalize: norm the vector and add a bias.
        probability_fn: "softmax", "hardmax", or any normalizer of Regard.
        kernel_initializer: of the kernels and attention_v.
        dtype, name, **options: of every attention and layer.

    Raises:
        ValueError: where a memory is given, units is not a positive integer, or an
            option is unknown.
    """

    mechanism = "tfa_bahdanau"

    def __init__(  # noqa: PLR0913 - the original's own signature
        self,
        units,
        memory=None,
        memory_sequence_length=None,
        normalize=False,
        probability_fn="softmax",
        kernel_initializer="glorot_uniform",
        dtype=None,
        name=None,
        **options,
    ):
        options |= {"dtype": dtype, "name": name}
        super().__init__(units, memory, memory_sequence_length, probability_fn, options)
        self.normalize = bool(normalize)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def add_weights(self, query_width, key_width, value_width):
        for name, shape in {
            "query_kernel": (query_width, self.units),
            "memory_kernel": (key_width, self.units),
            "attention_v": (self.units,),
        }.items():
            start = fresh(self.kernel_initializer)
            setattr(self, name, self.add_weight(shape, name=name, initializer=start))
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.attention_g = self.add_weight(
                (), name="attention_g", initializer=start
            )
            self.attention_b = self.add_weight(
                (self.units,), name="attention_b", initializer="zeros"
            )

    def project_query(self, query):
        projected = ops.matmul(query, self.query_kernel)
        return with_head(projected + self.attention_b if self.normalize else projected)

    def head_width(self, query_width):
        return self.units

    def recipe(self):
        vector = ops.convert_to_tensor(self.attention_v)
        if self.normalize:
            gain = scores.widen(ops.convert_to_tensor(self.attention_g))
            vector = gain * scores.unit(vector)
        return Recipe(scores.additive, self.normalizer, (vector,))

    def get_config(self):
        return {
            **super().get_config(),
            "normalize": self.normalize,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@register("tfa_seq2seq")
class LuongAttention(AttentionMechanism):
    r"""$e_j = s^\top (W_m m_j)$, times a learned g with ``scale``.

    ``s`` query (B, units): the width of the query must be ``units``. ``m`` memory
    (B, S, Dm). Weights in the original's order: memory_kernel (Dm, units), and with
    ``scale`` scale_weight ().

    Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.1 ("general").

    Args:
        units: width of the query.
        memory, memory_sequence_length: None; see ``AttentionMechanism``.
        scale: learn a factor.
        probability_fn: "softmax", "hardmax", or any normalizer of Regard.
        dtype, name, **options: of every attention and layer.

    Raises:
        ValueError: where a memory is given, the query has another width than units, or
            an option is unknown.
    """

    mechanism = "tfa_luong"

    def __init__(
        self,
        units,
        memory=None,
        memory_sequence_length=None,
        scale=False,
        probability_fn="softmax",
        dtype=None,
        name=None,
        **options,
    ):
        options |= {"dtype": dtype, "name": name}
        super().__init__(units, memory, memory_sequence_length, probability_fn, options)
        self.scale = bool(scale)

    def add_weights(self, query_width, key_width, value_width):
        if query_width != self.units:
            raise ValueError(
                f"units must be the width of the query, {query_width}. Got "
                f"{self.units}."
            )
        self.memory_kernel = self.add_weight(
            (key_width, self.units), name="memory_kernel"
        )
        if self.scale:
            self.scale_weight = self.add_weight(
                (), name="scale_weight", initializer="ones"
            )

    def recipe(self):
        if not self.scale:
            return Recipe(scores.dot, self.normalizer)
        factor = scores.widen(ops.convert_to_tensor(self.scale_weight))
        return Recipe(scores.scaled_dot, self.normalizer, (factor,))

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def refuse_memory(memory, memory_sequence_length):
    """A memory in a constructor would be a state of the layer."""
    for name, given in {
        "memory": memory,
        "memory_sequence_length": memory_sequence_length,
    }.items():
        if given is not None:
            raise ValueError(
                f"{name} must be None: no memory is kept on a layer, for a model with "
                f"one cannot be saved. Got {type(given).__name__}. Pass it to the call "
                "of AttentionWrapper or of a decoder."
            )
