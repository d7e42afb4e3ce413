"""A Transformer with random weights in CTranslate2."""

from __future__ import annotations

import os
import tempfile

import numpy as np


def random_transformer(vocabulary, width, layers, heads):
    """A translator from ids to ids, which are its words: "0", "1", ..."""
    import ctranslate2
    from ctranslate2.specs import TransformerSpec

    spec = TransformerSpec.from_config((layers, layers), heads)
    random = np.random.default_rng(7)
    for name, value in spec.variables(ordered=True):
        if value is None:
            part, leaf = _place(spec, name)
            shape = _shape(name, vocabulary, width)
            weights = random.normal(size=shape, scale=0.1).astype("float32")
            setattr(part, leaf, np.ones_like(weights) if leaf == "gamma" else weights)
    words = ["<blank>", "<s>", "</s>", *map(str, range(3, vocabulary))]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.config.unk_token = "3"
    spec.config.add_source_eos = True
    spec.validate()
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        return ctranslate2.Translator(
            folder, compute_type="float32", intra_threads=os.cpu_count() or 1
        )


def _place(spec, name):
    """The part that holds a variable, and the name it has there."""
    *path, leaf = name.split("/")
    part = spec
    for each in path:
        word, _, number = each.rpartition("_")
        if hasattr(part, each):
            part = getattr(part, each)
        else:
            part = getattr(part, word)[int(number)]
    return part, leaf


def _shape(name, vocabulary, width):
    *_, owner, leaf = name.split("/")
    if leaf in ("beta", "gamma"):
        return (width,)
    if owner.startswith("embeddings") or owner == "projection":
        return vocabulary, width
    if "ffn" in name:
        return (4 * width, width) if owner == "linear_0" else (width, 4 * width)
    if "self_attention" in name:
        return (3 * width, width) if owner == "linear_0" else (width, width)
    return (2 * width, width) if owner == "linear_1" else (width, width)
