"""Attention that remembers where it looked: one query after another, by loops."""

import numpy as np

from tests.reference.normalizers import softmax


def walk(start, align, value, visible):
    """Contexts and weights of `align(i, b, state) -> (row of weights, state)`.

    `start(b)` is the state of example b before its first query.
    """
    batch, queries, keys = visible.shape
    context = np.zeros((batch, queries, value.shape[-1]))
    weights = np.zeros((batch, queries, keys))
    for b in range(batch):
        state = start(b)
        for i in range(queries):
            weights[b, i], state = align(i, b, state)
            for j in range(keys):
                if visible[b, i, j]:
                    context[b, i] += weights[b, i, j] * value[b, j]
    return context, weights


def normalized(scores, seen, normalizer=softmax):
    """A row of weights over all keys, 0 where hidden."""
    row = np.zeros(len(scores))
    if seen.any():
        row[seen] = normalizer(scores[seen])
    return row


def additive_row(weights, query, keys, features):
    """v . tanh(W q + U k_j + f_j + b) for every key of one example."""
    bias = weights.get("bias", 0.0)
    return np.array(
        [
            weights["score_vector"]
            @ np.tanh(
                query @ weights["query_kernel"]
                + key @ weights["key_kernel"]
                + feature
                + bias
            )
            for key, feature in zip(keys, features, strict=True)
        ]
    )


def start_row(seen, kind):
    """Weights before the first step over the real keys of one example."""
    row = np.zeros(len(seen))
    places = np.flatnonzero(seen)
    if kind == "uniform" and len(places):
        row[places] = 1 / len(places)
    if kind == "first" and len(places):
        row[places[0]] = 1.0
    return row


def coverage(weights, query, key, value, visible, start="zero", normalizer=softmax):
    """See, Liu & Manning 2017, equations 10 and 11."""

    def align(i, b, covered):
        features = covered[:, None] * weights["coverage_kernel"]
        scores = additive_row(weights, query[b, i], key[b], features)
        row = normalized(scores, visible[b, i], normalizer)
        return row, covered + row

    return walk(lambda b: start_row(visible[b, 0], start), align, value, visible)


def convolve(channels, filters):
    """(C, S) and (K, C, F): the sum over channels and taps, zeros beyond the ends."""
    width, _, count = filters.shape
    keys = channels.shape[1]
    found = np.zeros((keys, count))
    for j in range(keys):
        for tap in range(width):
            place = j + tap - width // 2
            if 0 <= place < keys:
                found[j] += channels[:, place] @ filters[tap]
    return found


def location_sensitive(  # noqa: PLR0913 - the options of the layer
    weights, query, key, value, visible, history="previous", steps=1, start="uniform"
):
    """Chorowski et al. 2015, equations 8 and 9; Shen et al. 2018, section 2.2."""

    def begin(b):
        row = start_row(visible[b, 0], start)
        return [row] * steps, row

    def align(i, b, state):
        previous, total = state
        channels = [] if history == "cumulative" else list(previous)
        channels += [] if history == "previous" else [total]
        features = convolve(np.stack(channels), weights["filter_kernel"])
        features = features @ weights["feature_kernel"]
        scores = additive_row(weights, query[b, i], key[b], features)
        row = normalized(scores, visible[b, i])
        return row, ([*previous[1:], row], total + row)

    return walk(begin, align, value, visible)


def energy(weights, prefix, query, keys, general):
    """The score of every key; with a gain, weight normalization."""
    own = {
        k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)
    }
    gain = own.get("score_gain")
    if general:
        return np.array([query @ (k @ own["key_kernel"]) for k in keys]) * (gain or 1.0)
    if gain is not None:
        vector = own["score_vector"]
        own["score_vector"] = gain * vector / np.sqrt(np.sum(vector**2))
    return additive_row(own, query, keys, np.zeros(len(keys)))


def expected_stop(choose, previous):
    """Raffel et al. 2017, equation 7: the sum over where the step before stopped."""
    found = np.zeros(len(choose))
    for j in range(len(choose)):
        for k in range(j + 1):
            found[j] += previous[k] * np.prod(1 - choose[k:j])
        found[j] *= choose[j]
    return found


def chunked(alignment, scores, seen, size):
    """Chiu & Raffel 2018, equation 11: a softmax in each chunk, weighted by its end."""
    found = np.zeros(len(scores))
    for end in np.flatnonzero(seen):
        first = 0 if size is None else max(0, end - size + 1)
        inside = np.array([k for k in range(first, end + 1) if seen[k]])
        found[inside] += alignment[end] * softmax(scores[inside])
    return found


def monotonic(  # noqa: PLR0913 - the options of the layers
    weights, query, key, value, visible, general=False, chunk_size=0, preserve=False
):
    """Raffel et al. 2017, section 2.3; with chunks Chiu & Raffel 2018, section 2.3."""

    def align(i, b, previous):
        seen = visible[b, i]
        scores = energy(weights, "", query[b, i], key[b], general)
        choose = np.where(seen, 1 / (1 + np.exp(-scores - weights["score_bias"])), 0.0)
        row = expected_stop(choose, previous)
        if preserve and seen.any():
            row[np.flatnonzero(seen)[-1]] += 1 - row.sum()
        if chunk_size == 0:
            return row, row
        inside = energy(weights, "chunk_", query[b, i], key[b], general)
        return chunked(row, inside, seen, chunk_size), row

    return walk(lambda b: start_row(visible[b, 0], "first"), align, value, visible)


def forward(weights, query, key, value, visible):
    """Zhang, Ling & Dai 2018, equations 5 to 9, with features by location."""
    agent = "agent_bias" in weights

    def align(i, b, state):
        previous, move = state
        features = np.zeros((len(previous), 1))
        if "filter_kernel" in weights:
            features = convolve(previous[None], weights["filter_kernel"])
            features = features @ weights["feature_kernel"]
        seen = visible[b, i]
        chosen = normalized(additive_row(weights, query[b, i], key[b], features), seen)
        row = np.zeros(len(previous))
        for j in np.flatnonzero(seen):
            before = previous[j - 1] if j else 0.0
            walked = (1 - move) * previous[j] + move * before
            walked = walked if agent else 2 * walked
            row[j] = max(walked * chosen[j], 1e-6)
        if seen.any():
            row = row / row.sum()
        if agent:
            read = row @ np.where(seen[:, None], value[b], 0.0)
            logit = read @ weights["agent_context_kernel"] + weights["agent_bias"]
            logit = logit + query[b, i] @ weights["agent_query_kernel"]
            move = 1 / (1 + np.exp(-logit[0]))
        return row, (row, move)

    def begin(b):
        return start_row(visible[b, 0], "first"), 0.5

    return walk(begin, align, value, visible)


def softplus(x):
    return np.logaddexp(x, 0.0)


def mixture(weights, query, key, value, visible, version="v2b"):
    """Battenberg et al. 2020, equations 4 to 8 and table 1."""

    def align(i, b, means):
        hidden = query[b, i]
        if "query_kernel" in weights:
            hidden = np.tanh(hidden @ weights["query_kernel"] + weights["query_bias"])
        raw = hidden @ weights["mixture_kernel"] + weights["mixture_bias"]
        amount, step, width = np.split(raw, 3)
        if version == "v0":
            scale, amount = 1.0, np.exp(amount)
            step, width = np.exp(step), np.sqrt(np.exp(-width) / 2)
        elif version == "v1":
            amount, step, width = softmax(amount), np.exp(step), np.sqrt(np.exp(width))
            scale = np.sqrt(2 * np.pi * width**2)
        else:
            amount, step, width = softmax(amount), softplus(step), softplus(width)
            scale = np.sqrt(2 * np.pi * width**2)
        means, row = means + step, np.zeros(len(key[b]))
        for number, j in enumerate(np.flatnonzero(visible[b, i])):
            bells = np.exp(-((number - means) ** 2) / (2 * width**2))
            row[j] = np.sum(amount / scale * bells)
        return row, means

    return walk(lambda b: 0.0, align, value, visible)


def prior(length, alpha, beta):
    """Beta-binomial probabilities by Polya's urn: draw, put back, add one alike."""
    chances = {0: 1.0}
    for drawn in range(length - 1):
        after = {}
        for hits, chance in chances.items():
            hit = (alpha + hits) / (alpha + beta + drawn)
            after[hits + 1] = after.get(hits + 1, 0.0) + chance * hit
            after[hits] = after.get(hits, 0.0) + chance * (1 - hit)
        chances = after
    return np.array([chances[k] for k in range(length)])


def dynamic_convolution(weights, query, key, value, visible, chances):
    """Battenberg et al. 2020, equations 9 to 11."""
    filters = weights["dynamic_feature_kernel"].shape[0]

    def align(i, b, previous):
        hidden = np.tanh(query[b, i] @ weights["query_kernel"] + weights["query_bias"])
        made = (hidden @ weights["dynamic_kernel"]).reshape(filters, -1)
        dynamic = convolve(previous[None], made.T[:, None])
        static = convolve(previous[None], weights["filter_kernel"])
        features = dynamic @ weights["dynamic_feature_kernel"] + weights["bias"]
        features = features + static @ weights["static_feature_kernel"]
        scores = np.tanh(features) @ weights["score_vector"]
        for j in range(len(scores)):
            ahead = [p * previous[j - k] for k, p in enumerate(chances) if k <= j]
            scores[j] += np.log(max(sum(ahead), 1e-6))
        row = normalized(scores, visible[b, i])
        return row, row

    return walk(lambda b: start_row(visible[b, 0], "first"), align, value, visible)


def local(  # noqa: PLR0913 - the options of the layer
    weights,
    query,
    key,
    value,
    visible,
    predictive=True,
    window=2,
    spread=1.0,
    renormalize=False,
):
    """Luong, Pham & Manning 2015, equations 9 and 10, over the real keys alone."""

    def align(i, b, state):
        real = np.flatnonzero(visible[b].any(0))
        row = np.zeros(len(key[b]))
        place = float(i)
        if predictive:
            hidden = np.tanh(query[b, i] @ weights["place_query_kernel"])
            logit = (hidden @ weights["place_kernel"])[0]
            place = len(real) / (1 + np.exp(-logit))
        number = {j: rank for rank, j in enumerate(real)}
        near = [
            j for j in real if visible[b, i, j] and abs(number[j] - place) <= window
        ]
        if not near:
            return row, state
        scores = [query[b, i] @ weights["kernel"] @ key[b, j] for j in near]
        row[near] = softmax(np.array(scores))
        if predictive:
            distance = np.array([number[j] - place for j in near])
            row[near] *= np.exp(-(distance**2) / (2 * spread**2))
        return row / row.sum() if renormalize else row, state

    return walk(lambda b: None, align, value, visible)
