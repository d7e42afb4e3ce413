r"""Sums of tanh for a single query on TensorFlow: the gradient of v is one product.

TensorFlow is slow where it adds up over leading axes, as the plain gradient of ``v``
does at every step of a decoder; everything else stays as it would derive it:

    t_jd = tanh(q_d + k_jd),   s_j = sum_d v_d t_jd
    dk_jd = g_j v_d (1 - t_jd^2),   dq_d = sum_j dk_jd,   dv_d = sum_j g_j t_jd
"""

from typing import Any

import tensorflow as tf

Tensor = Any


@tf.custom_gradient
def kernel(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """(P, 1, D), (P, S, D), (D,) -> sums (P, 1, S)."""
    found = tf.tanh(query + key)

    def gradient(upstream):
        upstream = upstream[:, 0, :, None]  # (P, S, 1)
        keys = tf.raw_ops.TanhGrad(y=found, dy=upstream * vector)
        queries = tf.reduce_sum(keys, axis=1, keepdims=True)
        units = tf.reshape(found, (-1, tf.shape(found)[-1]))  # (P S, D)
        return queries, keys, tf.matmul(tf.reshape(upstream, (1, -1)), units)[0]

    return tf.reduce_sum(found * vector, axis=-1)[:, None], gradient
