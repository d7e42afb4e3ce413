"""Losses that belong to attention: what its weights or scores should be like."""

from regard.losses.entmax import EntmaxLoss, entmax_loss
from regard.losses.hop_penalty import hop_penalty

__all__ = ["EntmaxLoss", "entmax_loss", "hop_penalty"]
