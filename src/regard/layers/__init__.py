"""Weights around the mathematics: one attention mechanism a file."""

from regard.layers.additive_attention import AdditiveAttention
from regard.layers.alignments.coverage_attention import CoverageAttention
from regard.layers.alignments.location_sensitive_attention import (
    LocationSensitiveAttention,
)
from regard.layers.attention import Attention
from regard.layers.attention_decoder import AttentionDecoder
from regard.layers.attention_pooling import AttentionPooling
from regard.layers.biaffine_attention import BiaffineAttention
from regard.layers.concat_attention import ConcatAttention
from regard.layers.convolutional_attention import ConvolutionalAttention
from regard.layers.copying.copy_net import CopyNet
from regard.layers.copying.pointer_attention import PointerAttention
from regard.layers.copying.pointer_generator import PointerGenerator
from regard.layers.copying.pointer_sentinel import PointerSentinel
from regard.layers.cosine_attention import CosineAttention
from regard.layers.dot_attention import DotAttention
from regard.layers.feature_gate import FeatureGate
from regard.layers.gaussian_attention import GaussianAttention
from regard.layers.general_attention import GeneralAttention
from regard.layers.linear_score_attention import LinearScoreAttention
from regard.layers.location_attention import LocationAttention
from regard.layers.multi_head_attention import MultiHeadAttention
from regard.layers.scaled_dot_attention import ScaledDotAttention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "AttentionDecoder",
    "AttentionPooling",
    "BiaffineAttention",
    "ConcatAttention",
    "ConvolutionalAttention",
    "CopyNet",
    "CosineAttention",
    "CoverageAttention",
    "DotAttention",
    "FeatureGate",
    "GaussianAttention",
    "GeneralAttention",
    "LinearScoreAttention",
    "LocationAttention",
    "LocationSensitiveAttention",
    "MultiHeadAttention",
    "PointerAttention",
    "PointerGenerator",
    "PointerSentinel",
    "ScaledDotAttention",
]
