"""A normalizer around another one."""

from typing import Any

import keras

from regard.core.normalizers.part import Normalizer


class Wrapped(Normalizer):
    """Changes the scores or weights of an inner normalizer; abstract.

    Args:
        inner: the normalizer, by name, configuration or itself.
    """

    def __init__(self, inner: Any = "softmax"):
        from regard.core import normalizers  # the list, which lists this one

        self.inner = normalizers.get(inner)

    @property
    def rowwise(self) -> bool:  # type: ignore[override]
        return self.inner.rowwise

    @property
    def distribution(self) -> bool:  # type: ignore[override]
        return self.inner.distribution

    @property
    def tables(self) -> float:  # type: ignore[override]
        return self.inner.tables

    @property
    def has_weights(self) -> bool:
        return self.inner.has_weights

    def build(self, owner, num_heads, width):
        return self.inner.build(owner, num_heads, width)

    def get_config(self):
        return {"inner": keras.saving.serialize_keras_object(self.inner)}
