"""Scopes that hold data, for one call: padding and packed documents."""

from typing import Any

import keras
from keras import ops

from regard.core.scopes.grid import column, row
from regard.core.scopes.scope import Scope
from regard.core.shapes import rank_of

Tensor = Any


class Padding(Scope):
    """The real keys of each example, from lengths (B,) or a boolean keep-mask (B, S).

    It holds data, so it is an argument of a call (``attention_mask=``), never of a
    constructor, and is not saved.
    """

    def __init__(self, keep: Tensor):
        keep = ops.convert_to_tensor(keep)
        kind = keras.backend.standardize_dtype(keep.dtype)
        if "float" in kind or rank_of(keep) not in (1, 2):
            raise ValueError(
                "keep must be integer lengths of shape (batch,) or a boolean mask of "
                f"shape (batch, key), True = real. Got {kind} of shape "
                f"{tuple(keep.shape)}."
            )
        self.keep = keep

    @property
    def static(self):
        return False

    def allows(self, grid):
        if rank_of(self.keep) == 1:
            keep = row(grid.key_index) < column(self.keep)  # (B, S)
        else:
            keep = ops.cast(self.keep, "bool")
        return row(keep)  # (B, 1, S)

    def get_config(self):
        return {"keep": keras.ops.convert_to_numpy(self.keep).tolist()}


class Documents(Scope):
    """Tokens see only their own document, in sequences packed from several.

    ``documents`` (B, S) integers, one number per document. The queries are the last T
    of the S tokens. Like ``Padding`` it is an argument of a call.
    """

    def __init__(self, documents: Tensor):
        documents = ops.convert_to_tensor(documents)
        kind = keras.backend.standardize_dtype(documents.dtype)
        if "int" not in kind or rank_of(documents) != 2:
            raise ValueError(
                "documents must be integers of shape (batch, key), one number per "
                f"document. Got {kind} of shape {tuple(documents.shape)}."
            )
        self.documents = documents

    @property
    def static(self):
        return False

    def allows(self, grid):
        length = ops.shape(grid.key_index)[0] - ops.shape(grid.query_index)[0]
        asks = ops.take(self.documents, grid.query_index + length, axis=1)
        return ops.equal(column(asks), row(self.documents))

    def get_config(self):
        return {"documents": ops.convert_to_numpy(self.documents).tolist()}
