"""The network that the settings of a run describe."""

from typing import Any

from regard import positions
from regard.apps.translate.config import ModelSettings
from regard.layers import AttentionDecoder
from regard.models import (
    EQUAL_WIDTHS,
    BidirectionalEncoder,
    Seq2Seq,
    Transformer,
    TransformerDecoder,
    TransformerDecoderBlock,
    TransformerEncoder,
    TransformerEncoderBlock,
    make_attention,
    make_cell,
)

_QUERIES = {"bahdanau": "previous_state", "luong": "new_state"}


def make_network(
    settings: ModelSettings, source_size: int, target_size: int, max_length: int = 60
) -> Any:
    """Return an untrained model.

    Args:
        settings: sizes, cells or blocks, and the attention.
        source_size: pieces on the source side.
        target_size: pieces on the target side.
        max_length: pieces a source may have, without its end mark.
    """
    if settings.kind == "transformer":
        return _make_transformer(settings, source_size, target_size)
    units = settings.units
    options = settings.attention_options
    if settings.attention == "location":  # the only one that knows places by number
        options = {"maximum_length": -(-(max_length + 1) // 8) * 8, **options}
    if settings.attention in EQUAL_WIDTHS:
        if units % 2:
            raise ValueError(
                f"model.units must be even with attention = {settings.attention!r}, "
                f"whose keys hold two directions. Got {units}."
            )
        units //= 2  # two directions side by side are as wide as the decoder
    encoder = BidirectionalEncoder(
        units,
        cell=settings.cell,
        depth=settings.encoder_layers,
        dropout=settings.dropout,
    )
    decoder = AttentionDecoder(
        make_attention(settings.attention, settings.units, **options),
        make_cell(settings.cell, settings.units, settings.layers),
        query=_QUERIES[settings.order],
        input_feeding=settings.order == "luong"
        if settings.input_feeding is None
        else settings.input_feeding,
    )
    return Seq2Seq(
        encoder,
        decoder,
        source_size=source_size,
        target_size=target_size,
        width=settings.embedding,
        dropout=settings.dropout,
    )


def _make_transformer(
    settings: ModelSettings, source_size: int, target_size: int
) -> Any:
    """The same number of units in every block, and pieces that share their width."""
    options = {"pre_norm": settings.pre_norm, "dropout": settings.dropout}
    between = settings.feed_forward or 4 * settings.units
    reader = [
        TransformerEncoderBlock(_attention(settings, True), between, **options)
        for _ in range(settings.encoder_layers)
    ]
    writer = [
        TransformerDecoderBlock(
            _attention(settings, False), between, _attention(settings), **options
        )
        for _ in range(settings.layers)
    ]
    return Transformer(
        TransformerEncoder(reader),
        # The last but one aligns words better than the last.
        TransformerDecoder(writer, aligned_by=-2 if len(writer) > 1 else -1),
        source_size=source_size,
        target_size=target_size,
        width=settings.units,
        dropout=settings.dropout,
    )


def _attention(settings: ModelSettings, both_ways: bool | None = None) -> Any:
    """An attention for a block; over the sequence itself it looks one or both ways."""
    options = dict(settings.attention_options)
    if settings.attention == "multi_head":
        width = settings.units // settings.heads
        options = {"num_heads": settings.heads, "key_dim": width, **options}
    if both_ways is not None:
        options["position"] = _position(settings.position, both_ways)
    return make_attention(settings.attention, settings.units, **options)


def _position(name: str, both_ways: bool) -> Any:
    """A position scheme by its name, None for none."""
    schemes: dict[str, Any] = {
        "none": lambda: None,
        "rope": positions.RoPE,
        "alibi": positions.ALiBi,
        "t5": lambda: positions.T5Bias(bidirectional=both_ways),
    }
    return schemes[name]()
