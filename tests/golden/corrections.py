"""What should have come out, in float64 NumPy, where a package is deliberately left.

Each function takes a case and returns the arrays to expect: outputs, and gradients by
central differences of the same formulas.
"""

from __future__ import annotations

import numpy as np

from tests.golden.cases import Arrays, Case, input_of
from tests.golden.gradients import central_differences


def differentiated(case: Case, formula) -> Arrays:
    """Outputs of ``formula(arrays)`` and the gradients the case asks for."""

    def total(arrays):
        return float((formula(arrays)[case.main_output] * case.arrays["R"]).sum())

    given = {
        name: array.astype("float64") if array.dtype.kind == "f" else array
        for name, array in case.given.items()
    }
    outputs = {k: v for k, v in formula(given).items() if k in case.arrays}
    slopes = {
        name: central_differences(total, given, input_of(name))
        for name in case.of("grad.")
    }
    return outputs | slopes


def softmax(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Over the last axis, where allowed; a row with nothing allowed is zero."""
    allowed = np.broadcast_to(allowed, scores.shape)
    top = np.max(np.where(allowed, scores, -np.inf), axis=-1, keepdims=True)
    powers = np.where(allowed, np.exp(scores - np.where(np.isfinite(top), top, 0)), 0)
    total = powers.sum(axis=-1, keepdims=True)
    return powers / np.where(total == 0, 1, total)


def keep_of(arrays: Arrays, name: str, length: int) -> np.ndarray:
    """A mask (B, length), everything kept where there is none."""
    return arrays.get(name, np.ones((1, length), bool)).astype(bool)


def top_left(queries: int, keys: int) -> np.ndarray:
    return np.tril(np.ones((queries, keys), bool))


ACTIVATIONS = {
    None: lambda x: x,
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "exponential": np.exp,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x, 0),
}


def seq_self_attention(case: Case) -> Arrays:
    """Padding is seen by nobody and sees nothing; windows are symmetric."""
    options = case.constructor
    width, history = options.get("attention_width"), options.get("history_only")
    activation = ACTIVATIONS[options.get("attention_activation")]
    weight = options.get("attention_regularizer_weight", 0.0)

    def formula(a):
        x = a["in.x"]
        length = x.shape[1]
        keep = keep_of(a, "in.mask", length)
        behind = np.arange(length)[:, None] - np.arange(length)[None]
        seen = behind >= 0 if history else np.ones_like(behind, bool)
        if width is not None:
            seen &= np.abs(behind) <= (width - 1 if history else width // 2)
        allowed = seen & keep[:, :, None] & keep[:, None, :]
        attention = softmax(activation(emission(options, a)), allowed)
        product = attention @ attention.swapaxes(1, 2) - np.eye(length)
        return {
            "out.v": attention @ x,
            "out.attention": attention,
            "out.loss": weight * np.square(product).sum() / len(x),
        }

    return differentiated(case, formula)


def emission(options, a):
    x, offset = a["in.x"], a.get("w.ba", 0.0)
    if options.get("attention_type") == "multiplicative":
        return x @ a["w.Wa"] @ x.swapaxes(1, 2) + offset
    query = x @ a["w.Wt"] + a.get("w.bh", 0.0)
    hidden = np.tanh(query[:, :, None] + (x @ a["w.Wx"])[:, None])
    return (hidden @ a["w.Wa"])[..., 0] + offset


def seq_weighted_attention(case: Case) -> Arrays:
    """A sequence that is all padding gives zeros."""

    def formula(a):
        x = a["in.x"]
        logits = (x @ a["w.W"])[..., 0] + a.get("w.b", 0.0)
        attention = softmax(logits, keep_of(a, "in.mask", x.shape[1]))
        pooled = np.einsum("bt,btd->bd", attention, x)
        return {"out.pooled": pooled, "out.attention": attention}

    return differentiated(case, formula)


def ssa_scaled_dot(case: Case) -> Arrays:
    """A query that may see no key gives zeros, whatever was hidden from it."""
    history = case.constructor.get("history_only")

    def formula(a):
        query = a.get("in.q", a.get("in.x"))
        key = a.get("in.k", query)
        value = a.get("in.v", key)
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        scores = scores + a.get("in.prev", 0.0)
        lengths = scores.shape[1:]
        seen = top_left(*lengths) if history else np.ones(lengths, bool)
        keep = a.get("in.key_mask", a.get("in.mask", np.ones((1, lengths[1]), bool)))
        attention = softmax(scores, seen & keep[:, None, :].astype(bool))
        return {
            "out.v": attention @ value,
            "out.new_prev": scores,
            "out.attention": attention,
        }

    return differentiated(case, formula)


def keras_attention(case: Case) -> Arrays:
    """A masked query, or one that may see no key, has weights 0 and context 0."""
    additive = case.name.endswith("AdditiveAttention")
    concat = additive or case.constructor.get("score_mode") == "concat"

    def formula(a):
        query = a["in.q"]
        value = a.get("in.v", query)
        key, scale = a.get("in.k", value), a.get("w.scale", 1.0)
        if concat:
            pairs = query[:, :, None] + key[:, None]
            inner = np.tanh(pairs if additive else scale * pairs)
            weight = scale if additive else a.get("w.concat_score_weight", 1.0)
            scores = (inner * weight).sum(-1)
        else:
            scores = query @ key.swapaxes(1, 2) * scale
        lengths = scores.shape[1:]
        causal = case.call.get("use_causal_mask")
        seen = top_left(*lengths) if causal else np.ones(lengths, bool)
        asked = keep_of(a, "in.q_mask", lengths[0])[:, :, None]
        kept = keep_of(a, "in.v_mask", lengths[1])[:, None, :]
        attention = softmax(scores, seen & asked & kept)
        return {"out.y": attention @ value, "out.attention": attention}

    return differentiated(case, formula)


def double_attention(case: Case) -> Arrays:
    """Gathering is shared out over the pixels, spreading over the summaries."""

    def formula(a):
        batch, channels = a["in.x"].shape[:2]
        pixels = a["in.x"].reshape(batch, channels, -1)

        def convolved(name, x):
            kernel, bias = a[f"w.{name}.weight"][..., 0, 0], a[f"w.{name}.bias"]
            return kernel @ x + bias[:, None]

        everything = np.ones(1, bool)
        gather = softmax(convolved("convB", pixels), everything)  # (B, slots, N)
        spread = convolved("convV", pixels).swapaxes(1, 2)
        spread = softmax(spread, everything).swapaxes(1, 2)
        summaries = convolved("convA", pixels) @ gather.swapaxes(1, 2)
        output = summaries @ spread
        if "w.conv_reconstruct.weight" in a:
            output = convolved("conv_reconstruct", output)
        return {"out.y": output.reshape(batch, -1, *a["in.x"].shape[2:])}

    return differentiated(case, formula)


def keras_heads(case: Case) -> Arrays:
    """The path that returns weights is right: both paths should give its answer."""
    expected = dict(case.expected)
    if "out.y_without_scores" in expected:
        expected["out.y_without_scores"] = expected["out.y"]
    return expected


def entmax_at_one(case: Case) -> Arrays:
    """The limit of entmax as alpha goes to 1."""
    axis = case.call.get("dim", -1)

    def formula(a):
        rows = np.moveaxis(a["in.X"], axis, -1)
        return {"out.p": np.moveaxis(softmax(rows, np.ones(1, bool)), -1, axis)}

    return differentiated(case, formula)


def without_nan(case: Case) -> Arrays:
    """Rows that are NaN in the package are zero; what depends on them is left out."""
    expected = {"out.attention": np.nan_to_num(case.arrays["out.attention"])}
    main = case.arrays[case.main_output]
    if np.isfinite(main).all():
        expected[case.main_output] = main
    return expected


def without_uniform_rows(case: Case, keep: np.ndarray, value) -> Arrays:
    """What the package has, less what its rows without any key read.

    There such a row is the mean of all values; here it is zero. ``keep`` is
    (B, 1, T, S), and ``value(arrays)`` the values (B, S, D) of joined heads.
    """
    empty = ~keep.any(axis=-1)[:, 0]  # (B, T)

    def formula(arrays):
        mean = value(arrays).mean(axis=1, keepdims=True)
        return {case.main_output: np.where(empty[..., None], mean, 0.0)}

    too_much = differentiated(case, formula)
    expected = {
        name: array - too_much.get(name, 0.0) for name, array in case.expected.items()
    }
    attention = expected["out.attention"]
    expected["out.attention"] = np.where(empty[:, None, :, None], 0.0, attention)
    return expected


def deberta(case: Case) -> Arrays:
    """A row without any key gives zeros."""

    def value(a):
        product = a["in.hidden_states"] @ a["w.value_proj.weight"].T
        return product + a.get("w.value_proj.bias", 0.0)

    return without_uniform_rows(case, case.arrays["in.keep"], value)
