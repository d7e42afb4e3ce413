"""The monotonic mechanisms of TensorFlow Addons."""

import keras

from regard.compat.reader import register
from regard.compat.tfa_seq2seq.mechanisms import refuse_memory
from regard.layers.alignments.monotonic_alignment import MonotonicAlignment

__all__ = ["BahdanauMonotonicAttention", "LuongMonotonicAttention"]


class MonotonicMechanism(MonotonicAlignment):
    """What both share; abstract.

    Noise is drawn while training only; the original draws it always, and asks to set
    it to 0 by hand. "parallel" loses no mass far from the start, where the original
    divides by products that underflow.
    """

    def __init__(self, given, score, normed, options):
        refuse_memory(given["memory"], given["memory_sequence_length"])
        self.given = given
        super().__init__(
            given["units"] if score == "additive" else None,
            score=score,
            mode=given["mode"],
            normalize=normed,
            score_bias=given["score_bias_init"],
            noise=given["sigmoid_noise"],
            seed=given["sigmoid_noise_seed"],
            **options,
        )

    def align(self, look, state):
        return self.aligned(look, state)

    def get_config(self):
        config = super().get_config()
        ours = ("score", "normalize", "score_bias", "noise", "seed", "normalizer")
        kept = {name: each for name, each in config.items() if name not in ours}
        return {**kept, **self.given}


@register("tfa_seq2seq")
class BahdanauMonotonicAttention(MonotonicMechanism):
    r"""$p_j = \sigma(v^\top \tanh(W_q s + W_m m_j) + r)$, and the monotonic alignment.

    With ``normalize`` $g v / \lVert v \rVert$ in place of v and $+ b$ within. See
    ``regard.layers.MonotonicAttention`` for the alignment. Weights: query_kernel,
    key_kernel, score_vector, with ``normalize`` score_gain, then bias (without
    ``normalize`` it stays 0) and score_bias r.

    Raffel, Luong, Liu, Weiss, Eck 2017, arXiv:1704.00784, section 2.

    Args:
        units: width in which query and memory are compared.
        memory, memory_sequence_length: None; the memory is an argument of calls.
        normalize: norm the vector and add a bias.
        sigmoid_noise: standard deviation of what is added to scores in training.
        sigmoid_noise_seed: of the noise.
        score_bias_init: where r starts.
        mode: "parallel", "recursive" or "hard".
        kernel_initializer: of the kernels and v.
        dtype, name, **options: of every attention and layer.

    Raises:
        ValueError: where a memory is given or an option is unknown.
    """

    mechanism = "tfa_bahdanau_monotonic"

    def __init__(  # noqa: PLR0913 - the original's own signature
        self,
        units,
        memory=None,
        memory_sequence_length=None,
        normalize=False,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        kernel_initializer="glorot_uniform",
        dtype=None,
        name=None,
        **options,
    ):
        given = {
            "units": units,
            "memory": memory,
            "memory_sequence_length": memory_sequence_length,
            "normalize": bool(normalize),
            "sigmoid_noise": sigmoid_noise,
            "sigmoid_noise_seed": sigmoid_noise_seed,
            "score_bias_init": score_bias_init,
            "mode": mode,
        }
        start = keras.initializers.get(kernel_initializer)
        options |= {"kernel_initializer": start, "dtype": dtype, "name": name}
        super().__init__(given, "additive", bool(normalize), options)

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        bias = self.energies[0].bias
        if bias is not None and not self.normalize:  # the original has none
            bias.trainable = False


@register("tfa_seq2seq")
class LuongMonotonicAttention(MonotonicMechanism):
    r"""$p_j = \sigma(g\, s^\top (W_m m_j) + r)$, and the monotonic alignment.

    See ``BahdanauMonotonicAttention``. Weights: key_kernel (Dm, Dq), with ``scale``
    score_gain g, then score_bias r.

    Raffel, Luong, Liu, Weiss, Eck 2017, arXiv:1704.00784, section 2.

    Args:
        units: width of the query.
        memory, memory_sequence_length: None; the memory is an argument of calls.
        scale: learn the factor g.
        sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode: as there.
        dtype, name, **options: of every attention and layer.

    Raises:
        ValueError: where a memory is given, the query has another width than units, or
            an option is unknown.
    """

    mechanism = "tfa_luong_monotonic"

    def __init__(  # noqa: PLR0913 - the original's own signature
        self,
        units,
        memory=None,
        memory_sequence_length=None,
        scale=False,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name=None,
        **options,
    ):
        given = {
            "units": units,
            "memory": memory,
            "memory_sequence_length": memory_sequence_length,
            "scale": bool(scale),
            "sigmoid_noise": sigmoid_noise,
            "sigmoid_noise_seed": sigmoid_noise_seed,
            "score_bias_init": score_bias_init,
            "mode": mode,
        }
        options |= {"dtype": dtype, "name": name}
        super().__init__(given, "general", bool(scale), options)

    def add_weights(self, query_width, key_width, value_width):
        if query_width != self.given["units"]:
            raise ValueError(
                f"units must be the width of the query, {query_width}. Got "
                f"{self.given['units']}."
            )
        super().add_weights(query_width, key_width, value_width)
