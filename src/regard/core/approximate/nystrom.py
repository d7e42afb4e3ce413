"""Nystrom's approximation of softmax attention through a few landmarks."""

from keras import ops

from regard.core.approximate.masked import softmax_of
from regard.core.scores import widen
from regard.core.shapes import sizes_of


def landmarks(vectors, count, mask=None):
    """Means of ``count`` equal segments, of their real positions alone.

    Args:
        vectors: (B, H, T, D); padded with hidden positions where T is no multiple.
        count: m.
        mask: (B, T), True = real, or None.

    Returns:
        means (B, H, m, D), and which segments hold anything real, (B, 1, m).
    """
    vectors = widen(vectors)
    batch, heads, length, width = sizes_of(vectors)
    size = (length + count - 1) // count
    padding = size * count - length
    ones = ops.ones_like(vectors[:, :1, :, :1])
    if mask is not None:
        ones = ones * ops.cast(mask, ones.dtype)[:, None, :, None]
    rows = [(0, 0), (0, 0), (0, padding), (0, 0)]
    vectors, ones = ops.pad(vectors * ones, rows), ops.pad(ones, rows)
    sums = ops.sum(ops.reshape(vectors, (batch, heads, count, size, width)), axis=3)
    real = ops.sum(ops.reshape(ones, (batch, 1, count, size, 1)), axis=3)
    return sums / ops.maximum(real, 1.0), real[..., 0] > 0


def inverse(matrix, iterations=6, whole_batch=False):
    r"""An iteration towards the Moore-Penrose inverse of (B, H, m, m).

    $Z \leftarrow \tfrac14 Z(13I - AZ(15I - AZ(7I - AZ)))$ from $A^\top/(c\,r)$, where c
    and r are the largest sums of a column and of a row: of each matrix, or with
    ``whole_batch`` of all of them, as the first code of the paper has it. The iteration
    converges from either start; after a few steps the answers still differ.
    """
    axes = None if whole_batch else (-1, -2)
    size = ops.abs(matrix)
    column = ops.max(ops.sum(size, axis=-2, keepdims=True), axis=axes, keepdims=True)
    row = ops.max(ops.sum(size, axis=-1, keepdims=True), axis=axes, keepdims=True)
    bound = column * row
    bound = ops.where(bound == 0, ops.ones_like(bound), bound)
    found = ops.swapaxes(matrix, -1, -2) / bound
    same = ops.eye(matrix.shape[-1], dtype=matrix.dtype)
    for _ in range(iterations):
        product = ops.matmul(matrix, found)
        inner = 15.0 * same - ops.matmul(product, 7.0 * same - product)
        found = 0.25 * ops.matmul(found, 13.0 * same - ops.matmul(product, inner))
    return found


def factors(query, key, scale, options, query_mask=None, key_mask=None):
    r"""The three factors of $\tilde A = F\,A^{+} B$: (B,H,T,m), (B,H,m,m), (B,H,m,S).

    Args:
        query: (B, H, T, D).
        key: (B, H, S, D).
        scale: of the products.
        options: count of landmarks, iterations and whole_batch, as in ``inverse``.
        query_mask: (B, T) or None.
        key_mask: (B, S) or None.

    Each is a softmax: of queries over the landmarks of keys, of landmarks of queries
    over those of keys (inverted), and of landmarks of queries over keys.
    """
    count, iterations, whole_batch = options
    asked, some_asked = landmarks(query, count, query_mask)
    stored, some_stored = landmarks(key, count, key_mask)
    rows = None if query_mask is None else ops.expand_dims(query_mask, 1)
    columns = None if key_mask is None else ops.expand_dims(key_mask, 1)
    left = softmax_of(query, stored, scale, rows, some_stored)
    middle = softmax_of(asked, stored, scale, some_asked, some_stored)
    right = softmax_of(asked, key, scale, some_asked, columns)
    return left, inverse(middle, iterations, whole_batch), right


def smoothed(value, kernel):
    """Each head's values (B, H, T, D) convolved over time with its kernel (H, width).

    The sides are filled with zeros, so that the length stays.
    """
    value, kernel = widen(value), widen(kernel)
    width = kernel.shape[-1]
    left = width // 2
    length = sizes_of(value)[2]
    wide = ops.pad(value, [(0, 0), (0, 0), (left, width - 1 - left), (0, 0)])
    total = 0.0
    for place in range(width):
        part = wide[:, :, place : place + length]
        total = total + part * kernel[None, :, place, None, None]
    return total
