"""What a configuration of transformers says about rotary positions, as our part."""

import math

from regard.core import positions


def rope_of(config, pairing="half", width=None):
    """``positions.RoPE`` for a model's configuration.

    Raises:
        ValueError: for a kind of scaling that depends on the length at hand.
    """
    found = getattr(config, "rope_parameters", None) or {}
    kind = found.get("rope_type", "default")
    if kind not in _SCALINGS:
        raise ValueError(
            f"rope_type must be one of {', '.join(_SCALINGS)}. Got {kind!r}."
        )
    base = found.get("rope_theta", getattr(config, "rope_theta", None) or 10000.0)
    share = found.get("partial_rotary_factor", 1.0)
    if width is None and share != 1.0:
        width = int(head_width(config) * share)
    return positions.RoPE(base, pairing, width, _SCALINGS[kind](found, config))


def head_width(config) -> int:
    """Width of a head, given or following from the model's."""
    given = getattr(config, "head_dim", None)
    return given or config.hidden_size // config.num_attention_heads


def _trained(found, config):
    return found.get("original_max_position_embeddings", config.max_position_embeddings)


def _linear(found, config):
    return positions.Linear(found["factor"])


def _yarn(found, config):
    return positions.YaRN(
        found["factor"],
        _trained(found, config),
        fast=found.get("beta_fast") or 32.0,
        slow=found.get("beta_slow") or 1.0,
        truncate=found.get("truncate", True),
        attention_factor=_attention_factor(found),
    )


def _attention_factor(found):
    """Given, or by how much DeepSeek's two corrections differ; None for YaRN's own."""
    given, both = found.get("attention_factor"), ("mscale", "mscale_all_dim")
    if given is not None or not all(found.get(name) for name in both):
        return given
    first, second = (mscale(found["factor"], found[name]) for name in both)
    return first / second


def mscale(factor, strength=1.0):
    r"""$0.1 m \ln s + 1$ (YaRN, section 3.4, with DeepSeek's strength m)."""
    return 1.0 if factor <= 1 else 0.1 * strength * math.log(factor) + 1.0


def _llama3(found, config):
    return positions.Llama3(
        found["factor"],
        _trained(found, config),
        low=found["low_freq_factor"],
        high=found["high_freq_factor"],
    )


_SCALINGS = {
    "default": lambda found, config: None,
    "linear": _linear,
    "yarn": _yarn,
    "llama3": _llama3,
}
