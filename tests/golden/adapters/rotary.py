"""Rotations: our scheme against the packages' modules."""

import math

from keras import ops

from regard.core.positions import NTK, Linear, Llama3, LongRoPE, RoPE, XPos, YaRN
from tests.golden.tools import adapts, refuse_options


@adapts("hf.LlamaRotaryEmbedding")
def llama(case):
    options = dict(case.constructor["rope_parameters"])
    width = case.constructor["head_dim"]
    kind = options.get("rope_type", "default")
    part = 1.0 if kind == "proportional" else options.get("partial_rotary_factor", 1.0)
    turning = int(width * part)
    length = int(case.arrays["in.position_ids"].max()) + 1
    scaling = SCALINGS[kind](options, case.constructor, length)
    base = options.get("rope_theta", 10000.0)
    rope = RoPE(base, width=turning, scaling=scaling)

    def run(t):
        places = t["in.position_ids"]
        batch, steps = places.shape
        half = ops.ones((batch, 1, steps, turning // 2))
        # The unit along the first of each pair turns into its cosine and sine.
        unit = ops.concatenate([half, ops.zeros_like(half)], axis=-1)
        both = RoPE(base, scaling=scaling).rotate(unit, places)[:, 0]
        cosine, sine = ops.split(both, 2, axis=-1)
        frequencies, size = rope._frequencies(turning)
        return {
            "out.q_rot": rope.rotate(t["in.q"], places),
            "out.k_rot": rope.rotate(t["in.k"], places),
            "out.cos": ops.concatenate([cosine, cosine], axis=-1),
            "out.sin": ops.concatenate([sine, sine], axis=-1),
            "out.inv_freq": ops.convert_to_tensor(frequencies, dtype="float32"),
            "out.attention_scaling": ops.convert_to_tensor(size, dtype="float32"),
        }

    return run


def linear(options, constructor, length):
    return Linear(options["factor"])


def dynamic(options, constructor, length):
    """Grows with the longest position seen."""
    trained, factor = constructor["max_position_embeddings"], options["factor"]
    return NTK(factor * max(length, trained) / trained - (factor - 1))


def yarn(options, constructor, length):
    original = options["original_max_position_embeddings"]
    factor = options.get("factor") or constructor["max_position_embeddings"] / original

    def size(by=1.0):
        return 1.0 if factor <= 1 else 0.1 * by * math.log(factor) + 1.0

    attention, one, all_ = (
        options.get(n) for n in ("attention_factor", "mscale", "mscale_all_dim")
    )
    if attention is None:
        attention = size(one) / size(all_) if one and all_ else size()
    return YaRN(
        factor,
        original,
        options.get("beta_fast") or 32,
        options.get("beta_slow") or 1,
        options.get("truncate", True),
        attention,
    )


def longrope(options, constructor, length):
    original = options["original_max_position_embeddings"]
    factor = options.get("factor") or constructor["max_position_embeddings"] / original
    attention = options.get("attention_factor")
    if attention is None:
        growth = math.log(factor) / math.log(original) if factor > 1 else 0.0
        attention = math.sqrt(1 + growth)
    chosen = "long_factor" if length > original else "short_factor"
    return LongRoPE(options[chosen], attention)


def llama3(options, constructor, length):
    return Llama3(
        options["factor"],
        options["original_max_position_embeddings"],
        options["low_freq_factor"],
        options["high_freq_factor"],
    )


def proportional(options, constructor, length):
    """The slow pairs do not turn at all."""
    width, factor = constructor["head_dim"], options.get("factor", 1.0)
    turning = int(options.get("partial_rotary_factor", 1.0) * width // 2)
    return LongRoPE([factor] * turning + [1e30] * (width // 2 - turning))


SCALINGS = {
    "proportional": proportional,
    "default": lambda options, constructor, length: None,
    "linear": linear,
    "dynamic": dynamic,
    "yarn": yarn,
    "longrope": longrope,
    "llama3": llama3,
}


@adapts("keras_hub.RotaryEmbedding")
def keras_hub(case):
    options, call = case.constructor, case.call
    refuse_options(case, denominator_dim=(None,))
    rank = case.arrays["in.x"].ndim
    along = call.get("sequence_axis", options.get("sequence_axis", 1)) % rank
    features = options.get("feature_axis", -1) % rank
    width = case.arrays["in.x"].shape[features]
    rope = RoPE(options.get("max_wavelength", 10000), scaling=scaling(options, width))

    def run(t):
        inputs = ops.moveaxis(t["in.x"], (features, along), (-1, 1))
        places = t.get("in.positions")
        if places is None:
            places = ops.arange(inputs.shape[1], dtype="int32")
            places = places + int(call.get("start_index", 0))
        others = (inputs.shape[0], inputs.shape[1], -1, width)
        flat = ops.swapaxes(ops.reshape(inputs, others), 1, 2)  # (B, ·, T, D)
        turned = ops.reshape(
            ops.swapaxes(rope.rotate(flat, places), 1, 2), inputs.shape
        )
        return {"out.y": ops.moveaxis(turned, (-1, 1), (features, along))}

    return run


def scaling(options, width):
    """Keras Hub's kinds; its "dynamic" divides all frequencies by one number."""
    factor, kind = options.get("scaling_factor", 1.0), options.get("rope_type")
    if kind == "yarn":
        return YaRN(
            factor,
            options.get("original_max_position_embeddings", 4096),
            options.get("beta_fast", 32.0),
            options.get("beta_slow", 1.0),
            options.get("truncate", True),
            0.1 * math.log(factor) + 1.0,
        )
    if kind == "dynamic":
        return Linear(factor ** (width / max(1, width - 2)))
    return Linear(factor) if kind in (None, "linear") else None


@adapts("rotary_embedding_torch.RotaryEmbedding")
def rotary_embedding_torch(case):
    options = case.constructor
    refuse_options(case, learned_freq=(False,), custom_freqs=(None,))
    refuse_options(case, freqs_for=("lang", "pixel", "constant"))
    first = options.get("seq_before_head_dim", False)
    width, offset = options["dim"], int(case.call.get("offset", 0))
    squeezed = options.get("interpolate_factor", 1.0)
    rope = RoPE(
        stretched(options), "interleaved", scaling=own_frequencies(options, squeezed)
    )

    def turned(tensor, scheme, side):
        tensor = ops.swapaxes(tensor, 1, 2) if first else tensor
        places = ops.arange(tensor.shape[2], dtype="int32") + offset
        place = scheme.place_queries if side == "q" else scheme.place_keys
        part = place(tensor[..., :width], places)
        tensor = ops.concatenate([part, tensor[..., width:]], axis=-1)
        return ops.swapaxes(tensor, 1, 2) if first else tensor

    def run(t):
        length = t["in.q"].shape[1 if first else 2]
        scheme = fading(options, length) if options.get("use_xpos") else rope
        found = {f"out.{n}_rot": turned(t[f"in.{n}"], scheme, n) for n in "qk"}
        return {name: each for name, each in found.items() if name in case.arrays}

    return run


def stretched(options):
    """``theta_rescale_factor`` enters the base."""
    width, base = options["dim"], options.get("theta", 10000)
    return base * options.get("theta_rescale_factor", 1.0) ** (width / (width - 2))


def own_frequencies(options, squeezed):
    """Frequencies for pixels, or constant ones, as divisors of the usual ones."""
    kind, pairs = options.get("freqs_for", "lang"), options["dim"] // 2
    if kind == "lang":
        return Linear(squeezed)
    highest = options.get("max_freq", 10) / 2
    step = (highest - 1) / max(pairs - 1, 1)
    pixels = [(1 + step * i) * math.pi for i in range(pairs)]
    wanted = pixels if kind == "pixel" else [1.0] * pairs
    plain = RoPE(stretched(options))._frequencies(options["dim"])[0]
    return LongRoPE([p / w * squeezed for p, w in zip(plain, wanted, strict=True)])


def fading(options, length):
    """xPos there fades from the middle of the sequence."""
    squeezed = options.get("interpolate_factor", 1.0)
    if squeezed != 1.0 or options.get("freqs_for", "lang") != "lang":
        raise NotImplementedError("xPos with other frequencies has no adapter")
    return XPos(
        stretched(options),
        "interleaved",
        decay_base=options.get("xpos_scale_base", 512),
        center=length // 2,
    )
