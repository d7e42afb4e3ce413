"""Monotonic chunkwise attention: soft attention over a chunk that moves forward."""

import keras
from keras import ops

from regard.core.alignments.chunkwise import chunkwise_weights, lookback_weights
from regard.layers.alignments.energy import Energy
from regard.layers.alignments.monotonic_alignment import MonotonicAlignment
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class ChunkwiseAttention(MonotonicAlignment):
    r"""A monotonic alignment $\alpha$ says where the chunk ends, a softmax reads it.

    $\beta_{ij} = \sum_{k=j}^{j+w-1} \alpha_{ik}
    \frac{e^{u_{ij}}}{\sum_{l=k-w+1}^{k} e^{u_{il}}}$

    ``w`` is ``chunk_size``; without it the chunk reaches back to the first key. The
    energy of $\alpha$ is that of ``MonotonicAttention``; $u$ has weights of its own,
    without gain and ``r``. State: ``alignment`` (B, 1, S). Output (B, T, Dv).

    Chiu and Raffel 2018, "Monotonic chunkwise attention", arXiv:1712.05382.
    ``chunk_size=None`` is the infinite lookback of Arivazhagan et al. 2019,
    arXiv:1906.05218. Chunks are normalized one by one, so none underflows.

    Args:
        chunk_size: how many keys a chunk holds, its end included, or None.
        units, score, mode, normalize, score_bias, noise, preserve_mass: as in
            ``MonotonicAttention``.
        **options: as there.

    Raises:
        ValueError: where an argument is not one of these, or a normalizer or a position
            is given.
    """

    mechanism = "chunkwise"

    def __init__(self, units=None, chunk_size=4, **options):
        super().__init__(units, **options)
        self.chunk_size = None
        if chunk_size is not None:
            self.chunk_size = check_units("chunk_size", chunk_size)
        self.energies.append(Energy(self.score, self.units, False, "chunk_"))

    def align(self, look, state):
        alignment, after, extra = self.aligned(look, state)
        inside = (alignment, self.energy(look, 1), look.seen)
        if self.chunk_size is None:
            weights = lookback_weights(*inside)
        else:
            weights = chunkwise_weights(*inside, self.chunk_size)
        extra = {**extra, "alignment": alignment}
        return ops.where(look.seen, weights, ops.zeros_like(weights)), after, extra

    def get_config(self):
        return {**super().get_config(), "chunk_size": self.chunk_size}
