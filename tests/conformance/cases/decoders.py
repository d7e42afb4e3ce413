"""Recurrent decoders around an attention."""

from functools import partial

from keras.layers import GRUCell, LSTMCell, StackedRNNCells

from regard import layers
from tests.conformance.kinds import decoder, recurrent
from tests.reference.additive import additive
from tests.reference.general import general
from tests.reference.multi_head import multi_head
from tests.reference.recurrent_decoder import (
    bahdanau_decoder,
    gnmt_decoder,
    luong_decoder,
)


def stacked(units, *, dtype=None, **options):
    """A GRU below, an LSTM above."""
    cells = [
        GRUCell(4, name="below", dtype=dtype, recurrent_initializer="glorot_uniform"),
        LSTMCell(
            units, name="above", dtype=dtype, recurrent_initializer="glorot_uniform"
        ),
    ]
    return StackedRNNCells(cells, name="cell", dtype=dtype)


CASES = [
    recurrent(
        "decoder_bahdanau",
        partial(decoder, partial(layers.AdditiveAttention, 8), GRUCell),
        partial(bahdanau_decoder, attention=additive, cell="gru"),
    ),
    recurrent(
        "decoder_gnmt",
        partial(
            decoder,
            partial(layers.AdditiveAttention, 8),
            stacked,
            query="bottom_state",
        ),
        partial(
            gnmt_decoder, attention=additive, cells={"below": "gru", "above": "lstm"}
        ),
    ),
    recurrent(
        "decoder_luong",
        partial(decoder, layers.GeneralAttention, LSTMCell, query="new_state"),
        partial(luong_decoder, attention=general, cell="lstm"),
    ),
    recurrent(
        "decoder_input_feeding",
        partial(
            decoder,
            partial(layers.MultiHeadAttention, 2, 3, use_bias=False),
            GRUCell,
            query="new_state",
            input_feeding=True,
        ),
        partial(luong_decoder, attention=multi_head, cell="gru", input_feeding=True),
    ),
]
