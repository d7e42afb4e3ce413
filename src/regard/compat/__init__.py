"""The classic packages' names, on every backend.

With only the import line changed, old code runs and gives its old numbers wherever they
were right; ``faithful=True`` brings back the others.
"""

from regard.compat import (
    attention_keras,
    kaggle,
    keras_attention,
    keras_self_attention,
    tfa_seq2seq,
)

__all__ = [
    "attention_keras",
    "kaggle",
    "keras_attention",
    "keras_self_attention",
    "tfa_seq2seq",
]
