"""Which attention layers of KerasHub are read off, and how.

Those that extend ``keras.layers.MultiHeadAttention`` are read as it is, and stand here
only where they attend in another way.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

_READ = {  # class: mechanism
    "Attention2d": "multi_head",
    "BloomAttention": "multi_head",
    "CachedGemma3Attention": "grouped_query",
    "CachedGemmaAttention": "grouped_query",
    "CachedMistralAttention": "grouped_query",
    "CachedMixtralAttention": "grouped_query",
    "Conv2DMultiHeadAttention": "multi_head",
    "DFineMultiheadAttention": "multi_head",
    "DFineMultiscaleDeformableAttention": "deformable",
    "DINOV3Attention": "multi_head",
    "DisentangledSelfAttention": "multi_head",
    "FalconAttention": "multi_head",
    "FluxRoPEAttention": "multi_head",
    "GPTNeoXAttention": "multi_head",
    "Gemma3VisionAttention": "multi_head",
    "Gemma3nAudioAttention": "multi_head",
    "Gemma3nTextAttention": "grouped_query",
    "Gemma4AudioAttention": "multi_head",
    "Gemma4TextAttention": "grouped_query",
    "Gemma4VisionAttention": "grouped_query",
    "GptOssAttention": "grouped_query",
    "LlamaAttention": "grouped_query",
    "MMDiTBlock": "multi_head",
    "MultiHeadAttentionWithDownsampling": "multi_head",
    "MultiHeadAttentionWithRelativePE": "multi_head",
    "MultiQueryAttention2d": "grouped_query",
    "PaliGemmaVitAttention": "multi_head",
    "Phi3Attention": "grouped_query",
    "Qwen3Attention": "grouped_query",
    "Qwen3MoeAttention": "grouped_query",
    "Qwen3_5Attention": "grouped_query",
    "Qwen3_5VisionAttention": "multi_head",
    "QwenAttention": "grouped_query",
    "QwenMoeAttention": "grouped_query",
    "RoformerAttention": "multi_head",
    "SAM3Attention": "multi_head",
    "SAM3RoPEAttention": "multi_head",
    "SegFormerMultiheadAttention": "multi_head",
    "SmolLM3Attention": "grouped_query",
    "T5MultiHeadAttention": "multi_head",
    "TwoStreamRelativeAttention": "multi_head",
    "VideoPrismAttention": "multi_head",
    "WindowAttention": "multi_head",
}
_HEADS_FIRST = {"Gemma3nTextAttention"}  # whose query, key, value are (B, H, T, D)

_LEADING: dict[str, Callable[[Any], tuple[int, int]]] = {  # examples, heads of a table
    "Conv2DMultiHeadAttention": lambda layer: (-1, 1),
    "MultiHeadAttentionWithRelativePE": lambda layer: (-1, layer.num_heads),
    "Qwen3_5VisionAttention": lambda layer: (1, layer.num_heads),
}

_IN_BLOCKS = {"Gemma3nAudioAttention", "Gemma4AudioAttention"}
_AT_POINTS = {"DFineMultiscaleDeformableAttention"}


def _class_in(names, layer: Any) -> str | None:
    """The name under which a layer or what it extends stands among the names."""
    for each in type(layer).__mro__:
        if each.__module__.split(".")[0] == "keras_hub" and each.__name__ in names:
            return each.__name__
    return None


def hub_mechanism(layer: Any) -> str | None:
    """The mechanism of a layer of KerasHub that is read at its heart, or None."""
    name = _class_in(_READ, layer)
    return None if name is None else _READ[name]


def in_blocks(layer: Any) -> bool:
    """Whether its queries see windows of keys, one for each block of them."""
    return _class_in(_IN_BLOCKS, layer) is not None


def at_points(layer: Any) -> bool:
    """Whether it reads images at points of its own choice."""
    return _class_in(_AT_POINTS, layer) is not None


def heads_first(layer: Any) -> bool:
    """Whether what it compares and mixes is (B, H, T, D) instead of (B, T, H, D)."""
    return _class_in(_HEADS_FIRST, layer) is not None


def with_heads(layer: Any, table: Any) -> Any:
    """A table of scores or weights with axes for examples and heads, (B, H, T, S).

    Qwen's images have no batch: every image or frame is a call of its own.
    """
    name = _class_in(_LEADING, layer)
    if name is None or table is None:
        return table
    return ops.reshape(table, (*_LEADING[name](layer), *ops.shape(table)[-2:]))


def why_unread(layer: Any) -> str:
    """Why a layer that is named after attention is not read."""
    name = type(layer).__name__
    return f"{name} neither is nor extends an attention layer of regard or Keras"
