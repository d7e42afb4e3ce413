"""A limit that scores approach and never pass."""

import keras
from keras import ops

from regard.core.normalizers.wrapped import Wrapped


@keras.saving.register_keras_serializable("regard")
class SoftCap(Wrapped):
    r"""$a = \mathrm{inner}\big(c \tanh(s / c)\big)$: no score beyond $\pm c$.

    Scores well below the cap pass unchanged, $c \to \infty$ is the inner normalizer
    itself. The cap comes after every bias and before the mask, so hidden keys stay
    hidden. Gemma Team 2024, "Gemma 2", arXiv:2408.00118 (c = 50).

    Args:
        cap: the limit c.
        inner: the normalizer of what is capped, by name or itself.

    Raises:
        ValueError: where cap is not a positive number.
    """

    name = "soft_cap"
    shift_invariant = False

    def __init__(self, cap=50.0, inner="softmax"):
        if not isinstance(cap, (int, float)) or isinstance(cap, bool) or not cap > 0:
            raise ValueError(f"cap must be a positive number. Got {cap!r}.")
        self.cap = float(cap)
        super().__init__(inner)

    def __call__(self, scores, mask=None, *parameters):
        return self.inner(self.cap * ops.tanh(scores / self.cap), mask, *parameters)

    def get_config(self):
        return {"cap": self.cap, **super().get_config()}
