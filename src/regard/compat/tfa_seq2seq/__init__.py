"""The names of TensorFlow Addons' ``seq2seq``, without state on any layer."""

from regard.compat.tfa_seq2seq.mechanisms import (
    AttentionMechanism,
    BahdanauAttention,
    LuongAttention,
)
from regard.compat.tfa_seq2seq.monotonic import (
    BahdanauMonotonicAttention,
    LuongMonotonicAttention,
)
from regard.compat.tfa_seq2seq.wrapper import AttentionWrapper, AttentionWrapperState

__all__ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "LuongAttention",
    "LuongMonotonicAttention",
]
