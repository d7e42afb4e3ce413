"""Regularizers, initializers and constraints of a layer, kept and saved together."""

import keras


class WeightOptions:
    """Initializer, regularizer and constraint for kernels and biases."""

    def __init__(self, **options):
        self.options = {name: self._get(name, value) for name, value in options.items()}

    @classmethod
    def taken_from(cls, options):
        """Those of a kernel, taken out of a layer's further options."""
        usual = {"kernel_initializer": "glorot_uniform"}
        names = (*usual, "kernel_regularizer", "kernel_constraint")
        return cls(**{name: options.pop(name, usual.get(name)) for name in names})

    @staticmethod
    def _get(name, value):
        return _module_of(name).get(value)

    def __getitem__(self, name):
        return self.options[name]

    def for_kernel(self):
        """Arguments of ``add_weight`` for a kernel."""
        return self.of("kernel", "glorot_uniform")

    def for_bias(self):
        """Arguments of ``add_weight`` for a bias."""
        return self.of("bias", "zeros")

    def of(self, kind, initializer):
        """Arguments of ``add_weight`` for a kind of weight and its usual start."""
        initializer = self.options.get(f"{kind}_initializer", initializer)
        return {
            "initializer": fresh(initializer),
            "regularizer": self.options.get(f"{kind}_regularizer"),
            "constraint": self.options.get(f"{kind}_constraint"),
        }

    def config(self):
        """Every option, serialized by name."""
        return {
            name: _module_of(name).serialize(value) if value is not None else None
            for name, value in self.options.items()
        }


def fresh(initializer):
    """A copy: one initializer gives every weight of a shape the same values."""
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer


def _module_of(name):
    kind = name.rsplit("_", 1)[1]
    return {
        "initializer": keras.initializers,
        "regularizer": keras.regularizers,
        "constraint": keras.constraints,
    }[kind]


def check_units(name, value):
    """A positive integer, or an error saying so."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"{name} must be a positive integer. Got {value!r}.")
    return int(value)


def check_units_or_none(name, value):
    """A positive integer, or None where there is nothing to count."""
    return None if value is None else check_units(name, value)


def check_equal_widths(layer, query_width, key_width):
    """Products of queries and keys need one width."""
    if query_width != key_width:
        raise ValueError(
            f"query and key must have the same width for {type(layer).__name__}. Got "
            f"{query_width} and {key_width}. GeneralAttention, AdditiveAttention and "
            "MultiHeadAttention project, so they take any widths."
        )
