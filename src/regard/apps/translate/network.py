"""The network that the settings of a run describe."""

from typing import Any

from regard.apps.translate.config import ModelSettings
from regard.layers import AttentionDecoder
from regard.models import (
    EQUAL_WIDTHS,
    BidirectionalEncoder,
    Seq2Seq,
    make_attention,
    make_cell,
)

_QUERIES = {"bahdanau": "previous_state", "luong": "new_state"}


def make_network(
    settings: ModelSettings, source_size: int, target_size: int, max_length: int = 60
) -> Any:
    """Return an untrained model.

    Args:
        settings: sizes, cells and the attention.
        source_size: pieces on the source side.
        target_size: pieces on the target side.
        max_length: pieces a source may have, without its end mark.
    """
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
