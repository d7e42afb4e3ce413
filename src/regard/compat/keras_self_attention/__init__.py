"""The layers of CyberZHG/keras-self-attention."""

from regard.compat.keras_self_attention.residual_attention import (
    ResidualScaledDotProductAttention,
)
from regard.compat.keras_self_attention.scaled_dot_attention import (
    ScaledDotProductAttention,
)
from regard.compat.keras_self_attention.seq_self_attention import SeqSelfAttention
from regard.compat.keras_self_attention.seq_weighted_attention import (
    SeqWeightedAttention,
)

__all__ = [
    "ResidualScaledDotProductAttention",
    "ScaledDotProductAttention",
    "SeqSelfAttention",
    "SeqWeightedAttention",
]
