"""Feature maps that are one function of one number."""

import keras
from keras import ops

from regard.core.features.part import Feature
from regard.core.scores import widen


@keras.saving.register_keras_serializable("regard")
class Elu(Feature):
    r"""$\phi(x) = \mathrm{elu}(x) + 1$: $x + 1$ above zero, $e^x$ below.

    Katharopoulos et al. 2020, "Transformers are RNNs", arXiv:2006.16236, section 3.2.1.
    """

    name = "elu"

    def query(self, vectors, *parameters):
        return ops.elu(widen(vectors)) + 1.0


@keras.saving.register_keras_serializable("regard")
class ReLU(Feature):
    r"""$\phi(x) = \max(x, 0)$, as cosFormer has it (Qin et al. 2022, arXiv:2202.08791).

    A query without a positive feature sees nothing.
    """

    name = "relu"

    def query(self, vectors, *parameters):
        return ops.relu(widen(vectors))


@keras.saving.register_keras_serializable("regard")
class Identity(Feature):
    r"""$\phi(x) = x$: plain products, which may be negative."""

    name = "identity"
    positive = False

    def query(self, vectors, *parameters):
        return widen(vectors)
