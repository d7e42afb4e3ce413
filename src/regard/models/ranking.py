"""How ids and hypotheses are compared: what never occurs, lengths, coverage."""

from keras import ops

NEVER = -1e9  # a log probability no search chooses while there is another
_LITTLE = 1e-6


def without(logits, ids, forbidden):
    """Logits of ids, but those of ids that never occur; one pass for all of them."""
    if not forbidden:
        return logits
    hits = ops.any(ops.stack([ids == each for each in forbidden]), axis=0)
    return ops.where(hits, NEVER, logits)


def length_penalty(lengths, alpha):
    r"""$\big((5 + n) / 6\big)^\alpha$; a log probability is divided by it.

    Wu et al. 2016, arXiv:1609.08144, section 7, equation 14. ``alpha=0`` is none.
    """
    return ((5.0 + lengths) / 6.0) ** alpha


def coverage_penalty(alignments, source_mask, beta):
    r"""$\beta \sum_j \log \min(\sum_i a_{ij}, 1)$, below 0 where a place is left.

    Wu et al. 2016, section 7, equation 14. ``alignments`` (..., T, S) sum to one over
    S, ``source_mask`` (..., S) is 1 at real places.
    """
    seen = ops.minimum(ops.sum(alignments, axis=-2), 1.0)
    return beta * ops.sum(ops.log(ops.maximum(seen, _LITTLE)) * source_mask, axis=-1)
