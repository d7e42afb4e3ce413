"""From one row of scores (those of the visible keys only) to one row of weights."""

from functools import partial

import numpy as np

from regard.core import normalizers


def softmax(scores):
    """exp(s_j) / sum_k exp(s_k)."""
    powers = np.exp(scores - np.max(scores))
    return powers / np.sum(powers)


def sparsemax(scores):
    """The nearest point of the simplex: Martins & Astudillo 2016, Algorithm 1."""
    descending = np.sort(scores)[::-1]
    support, total = 1, descending[0]
    for count in range(1, len(descending) + 1):
        partial = np.sum(descending[:count])
        if 1 + count * descending[count - 1] > partial:
            support, total = count, partial
    threshold = (total - 1) / support
    return np.maximum(scores - threshold, 0.0)


def entmax15(scores):
    """max(s/2 - tau, 0)^2 with tau such that the row sums to 1.

    Peters, Niculae & Martins 2019, equation 10 at alpha = 1.5; tau is found by
    bisection, which shares nothing with the sorting solution of its section 3.
    """
    halves = scores / 2
    low, high = np.max(halves) - 1.0, np.max(halves)
    for _ in range(80):
        threshold = (low + high) / 2
        if np.sum(np.maximum(halves - threshold, 0.0) ** 2) >= 1.0:
            low = threshold
        else:
            high = threshold
    return np.maximum(halves - (low + high) / 2, 0.0) ** 2


def entmax(scores, alpha=1.5):
    """[(alpha - 1) s - tau]_+^(1 / (alpha - 1)), tau such that the row sums to 1."""
    if alpha == 1.0:
        return softmax(scores)
    scaled = (alpha - 1) * scores
    low, high = np.max(scaled) - 1.0, np.max(scaled)
    for _ in range(80):
        threshold = (low + high) / 2
        powers = np.maximum(scaled - threshold, 0.0) ** (1 / (alpha - 1))
        low, high = (threshold, high) if np.sum(powers) >= 1.0 else (low, threshold)
    return np.maximum(scaled - (low + high) / 2, 0.0) ** (1 / (alpha - 1))


def sigmoid(scores, bias=None):
    """sigma(s_j - ln n), or with another bias."""
    bias = -np.log(len(scores)) if bias is None else bias
    return np.where(
        scores + bias > 0,
        1 / (1 + np.exp(-np.abs(scores + bias))),
        np.exp(-np.abs(scores + bias)) / (1 + np.exp(-np.abs(scores + bias))),
    )


def off_by_one(scores, sink=0.0):
    """exp(s_j) / (exp(sink) + sum_k exp(s_k))."""
    return softmax(np.append(scores, sink))[:-1]


def top_k(scores, k=8):
    """Softmax over the k largest."""
    smallest = np.sort(scores)[::-1][: min(k, len(scores))][-1]
    weights = np.zeros(len(scores))
    weights[scores >= smallest] = softmax(scores[scores >= smallest])
    return weights


def relu(scores, power=1):
    """max(s_j, 0)^power / n."""
    return np.maximum(scores, 0.0) ** power / len(scores)


def softpick(scores, epsilon=1e-6):
    """max(exp(s_j) - 1, 0) / (sum_k |exp(s_k) - 1| + epsilon)."""
    top = max(np.max(scores), 0.0)
    steps = np.exp(scores - top) - np.exp(-top)
    return np.maximum(steps, 0.0) / (np.sum(np.abs(steps)) + epsilon * np.exp(-top))


def budget(scores, budget=2.0):
    """min(max(s_j - tau, 0), 1), tau such that the row sums to the budget."""
    if len(scores) <= budget:
        return np.ones(len(scores))
    low, high = np.min(scores) - 1.0, np.max(scores)
    for _ in range(80):
        threshold = (low + high) / 2
        total = np.sum(np.clip(scores - threshold, 0.0, 1.0))
        low, high = (threshold, high) if total >= budget else (low, threshold)
    return np.clip(scores - (low + high) / 2, 0.0, 1.0)


def normmax(scores, alpha=2.0):
    """[s_j - tau]_+^(1 / (alpha - 1)) over its sum, the alpha-norm of it being 1.

    Santos et al. 2024: sum_j [s_j - tau]_+^(alpha / (alpha - 1)) = 1.
    """
    low, high = np.max(scores) - 1.0, np.max(scores)
    for _ in range(80):
        threshold = (low + high) / 2
        excess = np.maximum(scores - threshold, 0.0)
        inside = np.sum(excess ** (alpha / (alpha - 1))) >= 1.0
        low, high = (threshold, high) if inside else (low, threshold)
    powers = np.maximum(scores - (low + high) / 2, 0.0) ** (1 / (alpha - 1))
    return powers / np.sum(powers)


def slot(scores, visible, epsilon=1e-8):
    """Softmax over the queries of each key, then rows divided by their sum.

    Locatello et al. 2020, algorithm 1; a matrix (T, S), as queries compete.
    """
    shares = np.zeros(scores.shape)
    for j in range(scores.shape[1]):
        rivals = np.flatnonzero(visible[:, j])
        if len(rivals):
            shares[rivals, j] = softmax(scores[rivals, j])
    return shares / (shares.sum(-1, keepdims=True) + epsilon)


slot.joint = True  # takes a whole matrix of scores


def soft_cap(scores, cap=50.0, inner=None):
    """inner(c tanh(s / c))."""
    return (inner or softmax)(cap * np.tanh(scores / cap))


def hardmax(scores, straight_through=False):
    """One at the first largest score."""
    return np.eye(len(scores))[np.argmax(scores)]


def proportional(scores, epsilon=1e-6):
    """max(s_j, 0) / (sum_k max(s_k, 0) + epsilon)."""
    positive = np.maximum(scores, 0.0)
    total = np.sum(positive)
    return positive / (total + epsilon) if total > 0 else positive


NORMALIZERS = {"softmax": softmax, "sparsemax": sparsemax, "entmax15": entmax15}
# Those whose weights are no distribution over the visible keys, or that have options.
OTHERS = {
    "budget": budget,
    "normmax": normmax,
    "entmax": entmax,
    "sigmoid": sigmoid,
    "off_by_one": off_by_one,
    "top_k": top_k,
    "proportional": proportional,
    "relu": relu,
    "softpick": softpick,
    "soft_cap": soft_cap,
    "hardmax": hardmax,
}


def of_part(name, config, weights=None, head=0):
    """The reference of a normalizer, with its options and a head's learned number."""
    weights = weights or {}
    if name in NORMALIZERS:
        return NORMALIZERS[name]
    if name == "slot":
        return partial(slot, **config)
    if name == "soft_cap":
        inner = normalizers.get(config["inner"])
        inside = of_part(inner.name, inner.get_config(), weights, head)
        return partial(soft_cap, cap=config["cap"], inner=inside)
    if name == "sinks":
        return partial(off_by_one, sink=weights["sinks"][head])
    if name == "entmax":
        alpha = config["alpha"]
        if config["learn_alpha"]:
            alpha = 1 + 1 / (1 + np.exp(-weights["alpha_logit"][head]))
        return partial(entmax, alpha=alpha)
    return partial(OTHERS[name], **config)
