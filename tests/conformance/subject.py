"""One built layer with random weights, its inputs, and its reference beside it."""

from functools import cache, cached_property

import keras
import numpy as np

from tests.conformance.compiled import at_once
from tests.conformance.gradients import gradients, weight_name


def rng_of(*parts):
    """A generator that depends on the words and numbers given, and on nothing else."""
    return np.random.default_rng([b for part in parts for b in str(part).encode()])


def numpy(structure):
    """Tensors (in tuples and dicts) as float or boolean NumPy arrays."""
    if isinstance(structure, dict):
        return {name: numpy(each) for name, each in structure.items()}
    if isinstance(structure, (tuple, list)):
        return tuple(numpy(each) for each in structure)
    if keras.backend.standardize_dtype(structure.dtype) in ("bfloat16", "float16"):
        structure = keras.ops.cast(structure, "float32")
    return np.asarray(keras.ops.convert_to_numpy(structure))


class Subject:
    """What a check works on. Checks must leave `layer` as they found it."""

    def __init__(self, case, **options):
        self.case = case
        self.layer = case.make(**options)
        self.inputs = case.inputs(rng_of(case.name))
        build(case, self.layer, self.inputs)
        rng = rng_of(case.name, "weights")
        for variable in self.layer.trainable_variables:
            variable.assign(rng.normal(size=variable.shape, scale=0.7))

    @property
    def weights(self):
        """Weights by name, float64, with those that no training moves."""
        return {
            weight_name(self.layer, variable): numpy(variable.value).astype("float64")
            for variable in self.layer.weights
        }

    def other_inputs(self, word="other", **sizes):
        """New inputs, of other sizes if wanted."""
        return self.case.inputs(rng_of(self.case.name, word), **sizes)

    def tensors(self, inputs=None, **options):
        """Output (and weights) of a call, as tensors."""
        return call(self.case, self.layer, inputs or self.inputs, **options)

    def call(self, inputs=None, **options):
        """Output of a call in NumPy."""
        return numpy(self.tensors(inputs, **options))

    def with_weights(self, inputs=None, **options):
        """Output and attention weights of a call in NumPy."""
        return self.call(inputs, return_attention_scores=True, **options)

    def expected(self, inputs=None, visible=None, weights=None):
        """Output and attention weights by the reference, float64."""
        inputs = {k: x.astype("float64") for k, x in (inputs or self.inputs).items()}
        weights = self.weights if weights is None else weights
        return self.case.expected(weights, inputs, visible)

    def at_once(self, inputs=None, weights=False, **masks):
        """`call` for sizes and dtypes that few checks share."""
        return numpy(self.tensors_at_once(inputs, weights, **masks))

    def tensors_at_once(self, inputs=None, weights=False, **masks):
        """`at_once` as tensors."""
        inputs = self.inputs if inputs is None else inputs
        return self._programs[weights](**inputs, **masks)

    @cached_property
    def _programs(self):
        """By whether weights are asked for."""

        def program(**options):
            return at_once(lambda **tensors: self.split_call(**tensors, **options))

        return {False: program(), True: program(return_attention_scores=True)}

    @cached_property
    def step(self):
        """The layer's step."""
        return at_once(self.layer.step)

    def split_call(self, **named):
        """A call with inputs and options together."""
        inputs = {name: named.pop(name) for name in self.case.arguments}
        return call(self.case, self.layer, inputs, **named)

    def gradients(self, upstream, inputs=None, **masks):
        """Value and `gradients` of sum(output * upstream)."""
        inputs = self.inputs if inputs is None else inputs
        fixed = {"upstream": upstream.astype("float32"), **masks}
        return gradients(self.layer, self.loss, inputs, fixed, again=True)

    def loss(self, upstream, **named):
        """sum(output * upstream) of a call with inputs and options together."""
        output = self.split_call(**named)
        return keras.ops.sum(keras.ops.cast(output, "float32") * upstream)


def call(case, layer, inputs, **options):
    """Call with the first input by position and the rest by name, as users do."""
    first, *rest = case.arguments
    return layer(inputs[first], **{name: inputs[name] for name in rest}, **options)


def build(case, layer, inputs):
    """Make the weights of a layer, and compute nothing."""
    symbols = {
        name: keras.KerasTensor(array.shape, str(array.dtype))
        for name, array in inputs.items()
    }
    call(case, layer, symbols)


@cache
def subject_of(case, dtype="float32"):
    """The one subject of a case and dtype policy that all checks share."""
    return Subject(case, dtype=dtype)
