"""Losses that belong to attention: what its weights or scores should be like."""

from regard.losses.entmax import EntmaxLoss, entmax_loss

__all__ = ["EntmaxLoss", "entmax_loss"]
