"""One row per mechanism, and per option that changes what it computes."""

from functools import partial

from keras.layers import GRUCell, LSTMCell

from regard import Causal, Window, layers
from tests.conformance.case import Case, Sizes
from tests.reference.additive import additive
from tests.reference.concat import concat
from tests.reference.cosine import cosine
from tests.reference.dot import dot
from tests.reference.feature_gate import feature_gate
from tests.reference.general import general
from tests.reference.location import location
from tests.reference.multi_head import multi_head
from tests.reference.normalizers import entmax15, sparsemax
from tests.reference.pooling import pooling
from tests.reference.recurrent_decoder import bahdanau_decoder, luong_decoder
from tests.reference.scaled_dot import scaled_dot

# Tags: `memory` query, value and key; `masked` a mask hides keys; `hides` so that they
# cannot matter; `weights` can be asked for; they are a `distribution`, made by a
# `softmax`; the order of keys is free; `steps` for recurrent use; it has `dropout`; it
# is `traced` from scores to context; something `asks`, and what asks reaches the output
# in a `direct` way too.
GATE = frozenset({"hides", "weights"})
DECODER = GATE | {"masked", "distribution", "order_free", "steps", "direct", "asks"}
POOLING = GATE | {"masked", "distribution", "order_free", "dropout", "traced"}
PLACED = POOLING - {"order_free"} | {"memory", "steps", "asks"}
MEMORY = PLACED | {"order_free"}
SOFT = {"softmax"}
# An option that changes the numbers and the weights but nothing of how masks, steps and
# arguments go: its mechanism, without it, has every check.
VARIANT = GATE

EQUAL = Sizes(key_width=4)  # where query and key must have one width
ROW_SHIFT = "the same for every key of a row, which softmax cancels"


def soft(name, make, reference, **more):
    """A mechanism over a memory, under softmax."""
    return Case(name, make, reference, **{"tags": MEMORY | SOFT, **more})


def decoder(attention, cell, *, dtype=None, query="previous_state", **options):
    """A decoder whose parts share its dtype policy."""
    return layers.AttentionDecoder(
        attention(name="attention", dtype=dtype),
        # Keras' default, orthogonal, needs a QR that torch lacks in float16.
        cell(3, name="cell", recurrent_initializer="glorot_uniform", dtype=dtype),
        query=query,
        dtype=dtype,
        **options,
    )


def recurrent(name, make, reference):
    """A decoder over a memory."""
    return Case(
        name,
        make,
        reference,
        arguments=("inputs", "value"),
        memory=("value",),
        queries="inputs",
        tags=DECODER,
    )


CASES = [
    Case(
        "feature_gate",
        layers.FeatureGate,
        feature_gate,
        arguments=("inputs",),
        memory=("inputs",),
        queries=None,
        mask="mask",
        tags=GATE,
    ),
    Case(
        "pooling",
        layers.AttentionPooling,
        pooling,
        arguments=("inputs",),
        memory=("inputs",),
        queries=None,
        mask="mask",
        tags=POOLING,
    ),
    Case(
        "pooling_sparsemax",
        partial(layers.AttentionPooling, use_bias=False, normalizer="sparsemax"),
        partial(pooling, normalizer=sparsemax),
        arguments=("inputs",),
        memory=("inputs",),
        queries=None,
        mask="mask",
        tags=POOLING,
    ),
    soft("additive", partial(layers.AdditiveAttention, 8), additive),
    soft(
        "additive_normalized",
        partial(layers.AdditiveAttention, 8, normalize=True),
        additive,
        tags=VARIANT,
    ),
    soft(
        "additive_entmax15",
        partial(layers.AdditiveAttention, 8, use_bias=True, normalizer="entmax15"),
        partial(additive, normalizer=entmax15),
        tags=MEMORY,
    ),
    soft("dot", layers.DotAttention, dot, sizes=EQUAL),
    soft(
        "dot_window",
        partial(layers.DotAttention, scope=Window(1, 2)),
        dot,
        sizes=EQUAL,
        sees=lambda query, key: query - 1 <= key <= query + 2,
        tags=PLACED | SOFT,
    ),
    soft("scaled_dot", layers.ScaledDotAttention, scaled_dot, sizes=EQUAL),
    soft(
        "scaled_dot_learned",
        partial(layers.ScaledDotAttention, learn_scale=True, normalizer="sparsemax"),
        partial(scaled_dot, normalizer=sparsemax),
        sizes=EQUAL,
        tags=VARIANT,
    ),
    soft("general", layers.GeneralAttention, general),
    soft("concat", partial(layers.ConcatAttention, 8), concat),
    soft(
        "location",
        partial(layers.LocationAttention, 9),
        location,
        tags=PLACED | SOFT,
    ),
    soft(
        "location_bias",
        partial(layers.LocationAttention, 9, use_bias=True),
        location,
        tags=VARIANT,
    ),
    soft("cosine", layers.CosineAttention, cosine, sizes=EQUAL),
    soft(
        "multi_head",
        partial(layers.MultiHeadAttention, 2, 3),
        multi_head,
        still={"key/bias": ROW_SHIFT},
    ),
    soft(
        "multi_head_wide",
        partial(
            layers.MultiHeadAttention, 2, 3, value_dim=5, use_bias=False, output_shape=9
        ),
        multi_head,
        tags=VARIANT,
    ),
    soft(
        "multi_head_gated",
        partial(layers.MultiHeadAttention, 3, 2, use_gate=True),
        multi_head,
        still={"key/bias": ROW_SHIFT},
        tags=MEMORY | SOFT | {"direct"},
    ),
    soft(
        "multi_head_causal",
        partial(layers.MultiHeadAttention, 2, 3, scope=Causal()),
        multi_head,
        sees=lambda query, key: key <= query,
        still={"key/bias": ROW_SHIFT},
        tags=PLACED | SOFT,
    ),
    recurrent(
        "decoder_bahdanau",
        partial(decoder, partial(layers.AdditiveAttention, 8), GRUCell),
        partial(bahdanau_decoder, attention=additive, cell="gru"),
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
