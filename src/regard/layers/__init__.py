"""Weights around the mathematics: one attention mechanism a file."""

from regard.layers.additive_attention import AdditiveAttention
from regard.layers.alignments.chunkwise_attention import ChunkwiseAttention
from regard.layers.alignments.coverage_attention import CoverageAttention
from regard.layers.alignments.dynamic_convolution_attention import (
    DynamicConvolutionAttention,
)
from regard.layers.alignments.forward_attention import ForwardAttention
from regard.layers.alignments.local_attention import LocalAttention
from regard.layers.alignments.location_sensitive_attention import (
    LocationSensitiveAttention,
)
from regard.layers.alignments.mixture_attention import MixtureAttention
from regard.layers.alignments.monotonic_attention import MonotonicAttention
from regard.layers.alignments.stochastic_attention import StochasticAttention
from regard.layers.approximate.attention_free import AttentionFree
from regard.layers.approximate.linformer_attention import LinformerAttention
from regard.layers.approximate.lsh_attention import LSHAttention
from regard.layers.approximate.nystrom_attention import NystromAttention
from regard.layers.approximate.prob_sparse_attention import ProbSparseAttention
from regard.layers.attention import Attention
from regard.layers.attention_decoder import AttentionDecoder
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
from regard.layers.graphs.graph_attention import GraphAttention
from regard.layers.graphs.graph_attention_v2 import GraphAttentionV2
from regard.layers.graphs.graph_transformer import GraphTransformer
from regard.layers.graphs.graphormer_bias import GraphormerBias
from regard.layers.heads.differential_attention import DifferentialAttention
from regard.layers.heads.grouped_query_attention import GroupedQueryAttention
from regard.layers.heads.multi_head_latent_attention import (
    MultiHeadLatentAttention,
)
from regard.layers.heads.persistent_memory_attention import PersistentMemoryAttention
from regard.layers.heads.talking_heads_attention import TalkingHeadsAttention
from regard.layers.images.axial_attention import AxialAttention
from regard.layers.images.cbam import CBAM
from regard.layers.images.channel_gate import ChannelGate
from regard.layers.images.coordinate_gate import CoordinateGate
from regard.layers.images.deformable_attention import DeformableAttention
from regard.layers.images.double_attention import DoubleAttention
from regard.layers.images.efficient_channel_gate import EfficientChannelGate
from regard.layers.images.gated_grid_pooling import GatedGridPooling
from regard.layers.images.grid_attention import GridAttention
from regard.layers.images.grid_pooling import GridPooling
from regard.layers.images.non_local_attention import NonLocalAttention
from regard.layers.images.pervasive_attention import PervasiveAttention
from regard.layers.images.registers import Registers
from regard.layers.images.sagan_attention import SAGANAttention
from regard.layers.images.shifted_window_attention import ShiftedWindowAttention
from regard.layers.images.simam import SimAM
from regard.layers.images.spatial_gate import SpatialGate
from regard.layers.images.spatial_transformer import SpatialTransformer
from regard.layers.images.squeeze_excitation import SqueezeExcitation
from regard.layers.linear.causal_linear_attention import CausalLinearAttention
from regard.layers.linear.delta_attention import DeltaAttention
from regard.layers.linear.forgetting_attention import ForgettingAttention
from regard.layers.linear.gated_delta_attention import GatedDeltaAttention
from regard.layers.linear.gated_linear_attention import GatedLinearAttention
from regard.layers.linear.linear_attention import LinearAttention
from regard.layers.linear.retention import Retention
from regard.layers.linear_score_attention import LinearScoreAttention
from regard.layers.location_attention import LocationAttention
from regard.layers.memory.dnc_cell import DNCCell
from regard.layers.memory.external_attention import ExternalAttention
from regard.layers.memory.hopfield_attention import HopfieldAttention
from regard.layers.memory.key_value_memory import KeyValueMemory
from regard.layers.memory.memorizing_attention import MemorizingAttention
from regard.layers.memory.memory_network import MemoryNetwork
from regard.layers.memory.ntm_cell import NTMCell
from regard.layers.multi_head_attention import MultiHeadAttention
from regard.layers.pairs.attention_flow import AttentionFlow
from regard.layers.pairs.coattention import Coattention
from regard.layers.pairs.decomposable_attention import DecomposableAttention
from regard.layers.pairs.dynamic_coattention import DynamicCoattention
from regard.layers.pairs.pairing import Pairing
from regard.layers.pairs.perceiver_attention import PerceiverAttention
from regard.layers.pairs.top_down_decoder import TopDownDecoder
from regard.layers.pooling.attention_pooling import AttentionPooling
from regard.layers.pooling.context_pooling import ContextPooling
from regard.layers.pooling.gated_pooling import GatedPooling
from regard.layers.pooling.hierarchical_pooling import HierarchicalPooling
from regard.layers.pooling.induced_set_block import InducedSetBlock
from regard.layers.pooling.last_state_pooling import LastStatePooling
from regard.layers.pooling.latent_attention import LatentAttention
from regard.layers.pooling.learned_queries import LearnedQueries
from regard.layers.pooling.multi_head_pooling import MultiHeadPooling
from regard.layers.pooling.pooling import Pooling
from regard.layers.pooling.set_block import SetBlock
from regard.layers.pooling.statistics_pooling import StatisticsPooling
from regard.layers.pooling.structured_pooling import StructuredPooling
from regard.layers.positions.learned_positions import LearnedPositions
from regard.layers.positions.sinusoidal_positions import SinusoidalPositions
from regard.layers.scaled_dot_attention import ScaledDotAttention
from regard.layers.scopes.longformer_attention import LongformerAttention
from regard.layers.series.auto_correlation import AutoCorrelation
from regard.layers.series.input_attention import InputAttention
from regard.layers.series.interpretable_attention import InterpretableMultiHeadAttention
from regard.layers.series.pyramid_encoder import PyramidEncoder
from regard.layers.series.temporal_attention import TemporalAttention
from regard.layers.series.temporal_pattern import TemporalPatternAttention

__all__ = [
    "CBAM",
    "AdditiveAttention",
    "Attention",
    "AttentionDecoder",
    "AttentionFlow",
    "AttentionFree",
    "AttentionPooling",
    "AutoCorrelation",
    "AxialAttention",
    "BiaffineAttention",
    "CausalLinearAttention",
    "ChannelGate",
    "ChunkwiseAttention",
    "Coattention",
    "ConcatAttention",
    "ContextPooling",
    "ConvolutionalAttention",
    "CoordinateGate",
    "CopyNet",
    "CosineAttention",
    "CoverageAttention",
    "DNCCell",
    "DecomposableAttention",
    "DeformableAttention",
    "DeltaAttention",
    "DifferentialAttention",
    "DotAttention",
    "DoubleAttention",
    "DynamicCoattention",
    "DynamicConvolutionAttention",
    "EfficientChannelGate",
    "ExternalAttention",
    "FeatureGate",
    "ForgettingAttention",
    "ForwardAttention",
    "GatedDeltaAttention",
    "GatedGridPooling",
    "GatedLinearAttention",
    "GatedPooling",
    "GaussianAttention",
    "GeneralAttention",
    "GraphAttention",
    "GraphAttentionV2",
    "GraphTransformer",
    "GraphormerBias",
    "GridAttention",
    "GridPooling",
    "GroupedQueryAttention",
    "HierarchicalPooling",
    "HopfieldAttention",
    "InducedSetBlock",
    "InputAttention",
    "InterpretableMultiHeadAttention",
    "KeyValueMemory",
    "LSHAttention",
    "LastStatePooling",
    "LatentAttention",
    "LearnedPositions",
    "LearnedQueries",
    "LinearAttention",
    "LinearScoreAttention",
    "LinformerAttention",
    "LocalAttention",
    "LocationAttention",
    "LocationSensitiveAttention",
    "LongformerAttention",
    "MemorizingAttention",
    "MemoryNetwork",
    "MixtureAttention",
    "MonotonicAttention",
    "MultiHeadAttention",
    "MultiHeadLatentAttention",
    "MultiHeadPooling",
    "NTMCell",
    "NonLocalAttention",
    "NystromAttention",
    "Pairing",
    "PerceiverAttention",
    "PersistentMemoryAttention",
    "PervasiveAttention",
    "PointerAttention",
    "PointerGenerator",
    "PointerSentinel",
    "Pooling",
    "ProbSparseAttention",
    "PyramidEncoder",
    "Registers",
    "Retention",
    "SAGANAttention",
    "ScaledDotAttention",
    "SetBlock",
    "ShiftedWindowAttention",
    "SimAM",
    "SinusoidalPositions",
    "SpatialGate",
    "SpatialTransformer",
    "SqueezeExcitation",
    "StatisticsPooling",
    "StochasticAttention",
    "StructuredPooling",
    "TalkingHeadsAttention",
    "TemporalAttention",
    "TemporalPatternAttention",
    "TopDownDecoder",
]
