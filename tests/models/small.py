"""A small translator with weights that matter, and what its tests share."""

import keras
import numpy as np

from regard import positions
from regard.layers import AttentionDecoder, MultiHeadAttention
from regard.models import (
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

SOURCE, TARGET = 11, 13  # numbers of ids

# name -> whether norms come first, positions
TRANSFORMERS = {
    "transformer": (True, positions.RoPE),
    "transformer-post-norm": (False, positions.ALiBi),
}
# name -> query, input feeding, cell, depth, attention
DECODERS = {
    "bahdanau": ("previous_state", False, "gru", 1, "additive"),
    "bahdanau-stacked": ("previous_state", False, "lstm", 2, "multi_head"),
    "luong": ("new_state", False, "gru", 1, "general"),
    "luong-feeding": ("new_state", True, "lstm", 1, "additive"),
    "gnmt": ("bottom_state", False, "gru", 2, "additive"),
    "bahdanau-monotonic": ("previous_state", False, "gru", 1, "monotonic"),
}
MODELS = [*DECODERS, *TRANSFORMERS]


def make_model(name="luong-feeding", dropout=0.0, seed=0):
    """Untrained, but with larger weights than usual so that it prefers something."""
    keras.utils.set_random_seed(seed)
    if name in TRANSFORMERS:
        return make_transformer(*TRANSFORMERS[name], dropout)
    query, feeding, cell, depth, attention = DECODERS[name]
    model = Seq2Seq(
        BidirectionalEncoder(5, cell, dropout=dropout),
        AttentionDecoder(
            make_attention(attention, 8), make_cell(cell, 7, depth), query, feeding
        ),
        SOURCE,
        TARGET,
        width=6,
        dropout=dropout,
    )
    model.set_weights([2.0 * weight for weight in model.get_weights()])
    return model


def make_transformer(pre_norm, position, dropout):
    """Two blocks on each side."""
    options = {"pre_norm": pre_norm, "dropout": dropout}

    def attention(**more):
        return MultiHeadAttention(2, 4, **more)

    def placed():
        return attention(position=position())

    reader = [TransformerEncoderBlock(placed(), 10, **options) for _ in range(2)]
    writer = [
        TransformerDecoderBlock(placed(), 10, attention(), **options) for _ in range(2)
    ]
    model = Transformer(
        TransformerEncoder(reader),
        TransformerDecoder(writer, aligned_by=0),
        SOURCE,
        TARGET,
        width=6,
        dropout=dropout,
    )
    kernels = [2.0 * w if w.ndim > 1 else w for w in model.get_weights()]
    model.set_weights(kernels)
    return model


def make_ids(batch=4, source_length=6, target_length=5, seed=0):
    """Source ids with padding at the end, target ids that begin with 1."""
    random = np.random.default_rng(seed)
    source = random.integers(2, SOURCE, (batch, source_length)).astype("int32")
    for row in range(batch):
        source[row, max(1, source_length - row) :] = 0
    target = random.integers(3, TARGET, (batch, target_length)).astype("int32")
    target[:, 0] = 1
    return source, target


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def log_softmax(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
