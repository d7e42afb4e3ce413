r"""Every compatibility function, side by side. Read this file first.

A score says how well a query fits a key, before masking and normalizing. All functions
are pure, take projected tensors ``query (B,H,T,D)`` and ``key (B,H,S,D)``, and return
``scores (B,H,T,S)`` in float32 at least: half-precision inputs are widened before any
product, so large logits stay finite. Products also take keys of fewer heads, G of H,
which groups of H/G heads share.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from jaxtyping import Float, Shaped
from keras import ops

from regard.core.additive import pays, plain, tanh_sums
from regard.core.heads import grouped_matmul

Tensor = Any
Query = Float[Tensor, "b h q d"]
Key = Float[Tensor, "b g k d"]
Scores = Float[Tensor, "b h q k"]
_TINY = 1e-24  # of a squared length


def widen(tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Half precision becomes float32; wider types stay."""
    kind = keras.backend.standardize_dtype(tensor.dtype)
    return ops.cast(tensor, "float32") if kind in ("float16", "bfloat16") else tensor


def dot(query: Query, key: Key) -> Scores:
    r"""$s_{ij} = q_i^\top k_j$ (Luong, Pham, Manning 2015, section 3.1)."""
    return grouped_matmul(widen(query), ops.swapaxes(widen(key), -1, -2))


def _number(scale):
    """A number as it is, a tensor widened."""
    return scale if isinstance(scale, (int, float)) else widen(scale)


def activated(activation: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    r"""The score $f(q_i^\top k_j)$ for a function f of numbers."""

    def score(query: Query, key: Key) -> Scores:
        return activation(dot(query, key))

    return score


def scaled_dot(query: Query, key: Key, scale: Tensor | float) -> Scores:
    r"""$s_{ij} = c\, q_i^\top k_j$; $c = 1/\sqrt{d}$ in Vaswani et al. 2017, 3.2.1.

    The query is scaled before the product, which keeps the product small.
    """
    return dot(*_scaled(query, key, scale))


def _scaled(query, key, scale):
    """The factors of ``scaled_dot``."""
    return widen(query) * _number(scale), key


def standard_dot(query: Query, key: Key) -> Scores:
    r"""$s_{ij} = q_i^\top k_j / \sqrt{d}$ (Vaswani et al. 2017, section 3.2.1)."""
    return dot(*_standard(query, key))


def _standard(query, key):
    """The factors of ``standard_dot``."""
    return _scaled(query, key, 1.0 / math.sqrt(query.shape[-1]))


def additive(query: Query, key: Key, vector: Float[Tensor, " d"]) -> Scores:
    r"""$s_{ij} = v^\top \tanh(q_i + k_j)$ for projected $q_i, k_j$.

    ``vector`` is $v$ (D,). Bahdanau, Cho, Bengio 2015, appendix A.1.2. Concatenation
    (Luong 2015, section 3.1) is the same function: $W[q;k] = W_1 q + W_2 k$. Where it
    pays, nothing of the size (T, S, D) is made: see ``core.additive``.
    """
    query, key, vector = widen(query), widen(key), widen(vector)
    if pays(query, key):
        return tanh_sums(query, key, ops.cast(vector, query.dtype))
    query = ops.expand_dims(query, -2)  # (B, H, T, 1, D)
    key = ops.expand_dims(key, -3)  # (B, H, 1, S, D)
    return ops.matmul(plain.tanh(query + key), ops.cast(vector, query.dtype))


def cosine(query: Query, key: Key, sharpness: Float[Tensor, ""]) -> Scores:
    r"""$s_{ij} = \beta\,\cos(q_i, k_j)$ (Graves, Wayne, Danihelka 2014, section 3.3.1).

    A zero vector has cosine 0 with everything, and gradient 0.
    """
    return dot(*_cosine(query, key, sharpness))


def _cosine(query, key, sharpness):
    """The factors of ``cosine``."""
    return unit(query) * _number(sharpness), unit(key)


def gaussian(query: Query, key: Key, precision: Float[Tensor, ""]) -> Scores:
    r"""$s_{ij} = -\tfrac{p}{2} \lVert q_i - k_j \rVert^2$ with the precision $p$.

    Nadaraya 1964 and Watson 1964 as softmax attention: Tsai et al. 2019.
    The difference is squared as it stands: expanding it into lengths and a product
    loses all digits where query and key are close and long.
    """
    query = ops.expand_dims(widen(query), -2)  # (B, H, T, 1, D)
    key = ops.expand_dims(widen(key), -3)  # (B, H, 1, S, D)
    return -0.5 * precision * ops.sum(ops.square(query - key), axis=-1)


def location(
    query: Float[Tensor, "b h q longest"], key: Float[Tensor, "b h k _"]
) -> Scores:
    r"""$s_{ij} = (W q_i)_j$: the place decides, the key is not read.

    ``query`` holds one logit for every place up to the longest memory,
    (B,H,T,S_max) with S_max >= S; the first S are used. Luong 2015, section 3.1.
    """
    length = ops.shape(key)[-2]
    return widen(query)[..., :length]


def unit(vectors: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    """Vectors of length one; zero stays zero, with gradient zero."""
    vectors = widen(vectors)
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    large = squares > _TINY
    safe = ops.where(large, squares, ops.ones_like(squares))
    return ops.where(large, vectors * ops.rsqrt(safe), ops.zeros_like(vectors))


def leaky_sum(
    query: Float[Tensor, "b h q 1"], key: Float[Tensor, "b h k 1"], slope: float
) -> Scores:
    r"""$s_{ij} = \mathrm{LeakyReLU}(q_i + k_j)$ for one number per query and key.

    $a^\top [W h_i; W h_j]$ is such a sum (Velickovic et al. 2017, section 2.1).
    """
    total = widen(query) + ops.swapaxes(widen(key), -1, -2)
    return ops.leaky_relu(total, slope)


def leaky_additive(
    query: Query, key: Key, vectors: Float[Tensor, "h d"], slope: float
) -> Scores:
    r"""$s_{ij} = a^\top \mathrm{LeakyReLU}(q_i + k_j)$ with an ``a`` per head.

    Brody, Alon, Yahav 2021, equation 7.
    """
    query = ops.expand_dims(widen(query), -2)  # (B, H, T, 1, D)
    key = ops.expand_dims(widen(key), -3)  # (B, H, 1, S, D)
    vectors = ops.expand_dims(ops.expand_dims(widen(vectors), -2), -2)
    return ops.sum(ops.leaky_relu(query + key, slope) * vectors, axis=-1)


# Scores that are products s = q'.k', and how their factors q', k' come about.
_FACTORS: dict[Callable[..., Tensor], Callable[..., tuple[Tensor, Tensor]]] = {
    dot: lambda query, key: (query, key),
    scaled_dot: _scaled,
    standard_dot: _standard,
    cosine: _cosine,
}


def factors_of(score: Callable[..., Tensor]) -> Callable[..., Any] | None:
    """How a score is a product of changed queries and keys; None where it is not one.

    ``factors(query, key, *parameters)`` returns the two.
    """
    if isinstance(score, partial):
        factors = _FACTORS.get(score.func)
        return None if factors is None else partial(factors, **score.keywords)
    return _FACTORS.get(score)


def number_of(score: Callable[..., Tensor]) -> float | None:
    """c where a score is c q.k with a plain number c, so that a kernel can apply it."""
    if isinstance(score, partial) and score.func is scaled_dot:
        scale = score.keywords.get("scale")
        return scale if isinstance(scale, (int, float)) else None
    return 1.0 if score is dot else None
