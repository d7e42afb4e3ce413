"""The names of TensorFlow Addons' ``seq2seq``, without state on any layer."""

from regard.compat.tfa_seq2seq.basic_decoder import BasicDecoder, BasicDecoderOutput
from regard.compat.tfa_seq2seq.beam_search_decoder import (
    BeamSearchDecoder,
    BeamSearchDecoderOutput,
    FinalBeamSearchDecoderOutput,
)
from regard.compat.tfa_seq2seq.mechanisms import (
    AttentionMechanism,
    BahdanauAttention,
    LuongAttention,
)
from regard.compat.tfa_seq2seq.monotonic import (
    BahdanauMonotonicAttention,
    LuongMonotonicAttention,
)
from regard.compat.tfa_seq2seq.samplers import (
    GreedyEmbeddingSampler,
    InferenceSampler,
    SampleEmbeddingSampler,
    Sampler,
    ScheduledEmbeddingTrainingSampler,
    ScheduledOutputTrainingSampler,
    TrainingSampler,
)
from regard.compat.tfa_seq2seq.wrapper import AttentionWrapper
from regard.compat.tfa_seq2seq.wrapper_parts import AttentionWrapperState

__all__ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "BasicDecoder",
    "BasicDecoderOutput",
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "FinalBeamSearchDecoderOutput",
    "GreedyEmbeddingSampler",
    "InferenceSampler",
    "LuongAttention",
    "LuongMonotonicAttention",
    "SampleEmbeddingSampler",
    "Sampler",
    "ScheduledEmbeddingTrainingSampler",
    "ScheduledOutputTrainingSampler",
    "TrainingSampler",
]
