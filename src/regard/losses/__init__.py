"""Losses that belong to attention: what its weights or scores should be like."""

from regard.losses.coverage import CoverageLoss, coverage_loss
from regard.losses.entmax import EntmaxLoss, entmax_loss
from regard.losses.guided_attention import GuidedAttentionLoss, guided_attention_loss
from regard.losses.hop_penalty import hop_penalty
from regard.losses.reading_penalties import doubly_stochastic_penalty, expected_delay
from regard.losses.score_function import score_function_loss

__all__ = [
    "CoverageLoss",
    "EntmaxLoss",
    "GuidedAttentionLoss",
    "coverage_loss",
    "doubly_stochastic_penalty",
    "entmax_loss",
    "expected_delay",
    "guided_attention_loss",
    "hop_penalty",
    "score_function_loss",
]
