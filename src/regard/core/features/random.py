"""Positive random features: softmax attention in expectation."""

import keras
import numpy as np
from keras import ops

from regard.core.features.part import Feature
from regard.core.normalizers.part import LOWEST
from regard.core.scores import widen

_KINDS = ("exponential", "relu")


@keras.saving.register_keras_serializable("regard")
class RandomFeatures(Feature):
    r"""FAVOR+: $\phi(x)_i = m^{-1/2}\exp(w_i^\top x - \lVert x\rVert^2/2)$, random $w$.

    With $x = q\,d^{-1/4}$ the expectation of $\phi(q)^\top\phi(k)$ is
    $e^{q^\top k/\sqrt d}$: softmax attention, estimated without its table of pairs.
    Rows of $w$ are orthogonal in blocks of d and as long as Gaussian vectors; they are
    drawn once, belong to the layer and are saved with it.

    Choromanski et al. 2020, "Rethinking attention with Performers", arXiv:2009.14794,
    section 2.3.

    Args:
        count: m, the number of features.
        kind: "exponential", or "relu" for $\max(w_i^\top x, 0)$ ("generalized"
            attention, section 2.2), which estimates no softmax.
        epsilon: added to every feature, so that none vanishes; 0 keeps the estimate
            unbiased.
        shared_maximum: as in the authors' code, take the largest projection of a query
            off its own, and the largest of all keys off theirs. It cancels when a row
            is divided by its sum (exactly so where epsilon is 0) but looks at the whole
            sequence. Without it keys keep their size, which can reach $e^{d/2}$.
        seed: of the draw.

    Raises:
        ValueError: for an unknown kind or a count below 1.
    """

    name = "random_features"

    def __init__(
        self,
        count=64,
        kind="exponential",
        epsilon=1e-6,
        shared_maximum=True,
        seed=None,
    ):
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {_KINDS}. Got {kind!r}.")
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"count must be a positive integer. Got {count!r}.")
        self.count, self.kind = count, kind
        self.epsilon, self.shared_maximum = float(epsilon), bool(shared_maximum)
        self.seed = seed

    @property
    def pointwise(self):
        return self.kind == "relu" or not self.shared_maximum

    def width(self, width):
        return self.count

    def build(self, owner, num_heads, width):
        drawn = orthogonal(self.count, width, self.seed)
        projection = owner.add_weight(
            drawn.shape,
            name="projection",
            initializer=lambda shape, dtype: ops.convert_to_tensor(drawn, dtype),
            trainable=False,
        )
        return (projection,)

    def query(self, vectors, projection):
        logits, halves = self._logits(vectors, projection)
        if self.kind == "relu":
            return ops.relu(logits) + self.epsilon
        if not self.shared_maximum:
            logits, halves = logits - halves, 0.0
        return self._powers(logits - ops.stop_gradient(_largest(logits, -1)) - halves)

    def key(self, vectors, mask, projection):
        logits, halves = self._logits(vectors, projection)
        if self.kind == "relu":
            return ops.relu(logits) + self.epsilon
        if not self.shared_maximum:
            return self._powers(logits - halves)
        if mask is None:
            top = ops.stop_gradient(_largest(logits, (-1, -2)))
            return self._powers(logits - top - halves)
        real = ops.swapaxes(mask, -1, -2)  # (B, 1, S, 1)
        top = _largest(ops.where(real, logits, LOWEST), (-1, -2))
        top = ops.stop_gradient(ops.where(top <= LOWEST, ops.zeros_like(top), top))
        # Padding may lie above the largest real feature.
        shifted = ops.where(real, logits - top - halves, ops.zeros_like(logits))
        return self._powers(shifted)

    def _logits(self, vectors, projection):
        """W x and half the square of x, scaled as softmax attention is."""
        vectors, projection = widen(vectors), widen(projection)
        vectors = vectors * vectors.shape[-1] ** -0.25
        squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
        return ops.matmul(vectors, ops.transpose(projection)), squares / 2.0

    def _powers(self, logits):
        return self.count**-0.5 * (ops.exp(logits) + self.epsilon)

    def get_config(self):
        return {
            "count": self.count,
            "kind": self.kind,
            "epsilon": self.epsilon,
            "shared_maximum": self.shared_maximum,
            "seed": self.seed,
        }


def _largest(logits, axis):
    return ops.max(logits, axis=axis, keepdims=True, initial=LOWEST)


def orthogonal(count, width, seed):
    """Rows (count, width): orthogonal in blocks, of the length of Gaussian vectors."""
    rng = np.random.default_rng(seed)
    blocks = []
    for _ in range(-(-count // width)):
        directions, upper = np.linalg.qr(rng.normal(size=(width, width)))
        blocks.append((directions * np.sign(np.diag(upper))).T)
    lengths = np.linalg.norm(rng.normal(size=(count, width)), axis=1)
    rows = np.concatenate(blocks)[:count] * lengths[:, None]
    return rows.astype("float32")
