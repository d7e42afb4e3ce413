"""The pooling layers copied through Kaggle kernels, and their parent's."""

from regard.compat.kaggle.attention import Attention
from regard.compat.kaggle.attention_with_context import AttentionWithContext

__all__ = ["Attention", "AttentionWithContext"]
