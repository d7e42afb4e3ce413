"""Approximations of attention, one example and head at a time."""

import numpy as np


def softmax_rows(scores, rows, columns):
    """Softmax over visible columns; rows that are hidden or see nothing are zero."""
    weights = np.zeros(scores.shape)
    for i in np.flatnonzero(rows):
        if columns.any():
            powers = np.exp(scores[i, columns] - scores[i, columns].max())
            weights[i, columns] = powers / powers.sum()
    return weights


def over_heads(weights, query, key, value, visible, read):
    """Output and weights; ``read(q, k, v, seen, h)`` reads one head of one example."""
    heads = weights["query/kernel"].shape[1]
    seen = visible[:, 0] if visible.ndim == 3 else visible
    kernel = weights["attention_output/kernel"]
    output = np.zeros((*query.shape[:2], kernel.shape[-1]))
    output += weights.get("attention_output/bias", 0.0)
    maps = [[None] * heads for _ in query]
    for b, h in np.ndindex(len(query), heads):
        q, k, v = (
            array[b] @ weights[f"{name}/kernel"][:, h]
            + weights.get(f"{name}/bias", np.zeros((heads, 1)))[h]
            for name, array in (("query", query), ("key", key), ("value", value))
        )
        context, maps[b][h] = read(q, k, v * seen[b][:, None], seen[b], h)
        output[b] += context @ kernel[h]
    return output, np.array(maps)


def linformer(weights, query, key, value, visible):
    """Wang et al. 2020, equation 7: softmax(Q (EK)^T / sqrt d) F V."""

    def read(q, k, v, seen, h):
        key_rows = weights["key_rows_kernel"][: len(k)]
        value_rows = weights.get("value_rows_kernel", weights["key_rows_kernel"])
        rows = key_rows.T @ (k * seen[:, None])
        scores = q @ rows.T / np.sqrt(q.shape[-1])
        shown = np.full(len(rows), seen.any())
        found = softmax_rows(scores, np.ones(len(q), bool), shown)
        return found @ (value_rows[: len(v)].T @ v), found

    return over_heads(weights, query, key, value, visible, read)


def segments(vectors, count, seen):
    """Means of the real positions of each segment, and which segments have any."""
    size = -(-len(vectors) // count)
    means = np.zeros((count, vectors.shape[-1]))
    some = np.zeros(count, bool)
    for m in range(count):
        part = slice(m * size, (m + 1) * size)
        if seen[part].any():
            means[m] = vectors[part][seen[part]].mean(0)
            some[m] = True
    return means, some


def iterated_inverse(matrix, steps):
    """Xiong et al. 2021, equation 11."""
    bound = np.abs(matrix).sum(0).max() * np.abs(matrix).sum(1).max()
    found, same = matrix.T / (bound or 1.0), np.eye(len(matrix))
    for _ in range(steps):
        product = matrix @ found
        inner = 15 * same - product @ (7 * same - product)
        found = found @ (13 * same - product @ inner) / 4
    return found


def nystrom(weights, query, key, value, visible, landmarks=2, iterations=6):
    """Xiong et al. 2021, equation 10, with a convolution of the values where asked."""

    def read(q, k, v, seen, h):
        everyone = np.ones(len(q), bool)
        asked, some_asked = segments(q, landmarks, everyone)
        stored, some_stored = segments(k, landmarks, seen)
        scale = 1 / np.sqrt(q.shape[-1])
        left = softmax_rows(q @ stored.T * scale, everyone, some_stored)
        middle = softmax_rows(asked @ stored.T * scale, some_asked, some_stored)
        right = softmax_rows(asked @ k.T * scale, some_asked, seen)
        found = left @ iterated_inverse(middle, iterations) @ right
        context = found @ v
        if "smoothing_kernel" in weights:
            kernel = weights["smoothing_kernel"][h]
            half = len(kernel) // 2
            wide = np.pad(v, ((half, half), (0, 0)))
            for place, factor in enumerate(kernel):
                context = context + factor * wide[place : place + len(v)]
        return context, found

    return over_heads(weights, query, key, value, visible, read)


def prob_sparse(weights, query, key, value, visible, factor=1, causal=False):
    """Zhou et al. 2021, section 3.1, with a sample that is spread evenly."""

    def few(length):
        return max(1, min(factor * int(np.ceil(np.log(length))), length))

    def read(q, k, v, seen, h):
        sample = [int(u * len(k) // few(len(k))) for u in range(few(len(k)))]
        sample = [j for j in sample if seen[j]]
        scores = q @ k[sample].T if sample else np.zeros((len(q), 1))
        measure = scores.max(-1) - scores.sum(-1) / max(seen.sum(), 1)
        chosen = np.argsort(-measure, kind="stable")[: few(len(q))]
        found = np.zeros((len(q), len(k)))
        for i in range(len(q)):
            allowed = seen & (np.arange(len(k)) <= i) if causal else seen
            found[i] = allowed / max(allowed.sum(), 1)
            if i in chosen:
                row = q[i : i + 1] @ k.T / np.sqrt(q.shape[-1])
                found[i] = softmax_rows(row, np.ones(1, bool), allowed)[0]
        return found @ v, found

    return over_heads(weights, query, key, value, visible, read)


def lsh(weights, inputs, visible, chunk=2, causal=False, buckets=4):
    """Kitaev et al. 2020, section 2: sort by bucket, look in chunks, join rounds."""
    kernel = weights["attention_output/kernel"]
    heads = kernel.shape[0]
    output = np.zeros((*inputs.shape[:2], kernel.shape[-1]))
    length, rounds = inputs.shape[1], weights["rotations"].shape[1]
    maps = np.zeros((len(inputs), heads, length, length))
    for b, h in np.ndindex(len(inputs), heads):
        q = inputs[b] @ weights["query/kernel"][:, h]
        v = inputs[b] @ weights["value/kernel"][:, h]
        k = q / np.sqrt(np.mean(q**2, -1, keepdims=True) + 1e-6) / np.sqrt(q.shape[-1])
        tables, logs, pieces = [], [], []
        for r in range(rounds):
            turned = q @ weights["rotations"][:, r]
            own = np.argmax(np.concatenate([turned, -turned], -1), -1)
            own = np.where(visible[b], own, buckets)
            order = np.argsort(own, kind="stable")
            pieces += [order[i : i + chunk] for i in range(0, length, chunk)]
        count = len(pieces) // rounds
        for r in range(rounds):
            table, log = np.zeros((length, length)), np.full(length, -1e9)
            for n in range(r * count, (r + 1) * count):
                near = [*pieces[n - 1], *pieces[n]] if len(pieces) > 1 else pieces[n]
                for i in (i for i in pieces[n] if visible[b, i]):
                    js = [j for j in near if visible[b, j] and (not causal or j <= i)]
                    scores = np.array([-1e5 if i == j else q[i] @ k[j] for j in js])
                    top = scores.max()
                    log[i] = np.log(np.exp(scores - top).sum()) + top
                    np.add.at(table[i], js, np.exp(scores - log[i]))
            tables.append(table)
            logs.append(log)
        share = np.exp(np.array(logs) - np.max(logs, 0))
        share = share / share.sum(0)
        maps[b, h] = np.einsum("rt,rts->ts", share, np.array(tables))
        output[b] += maps[b, h] @ v @ kernel[h]
    return output, maps


def attention_free(weights, query, key, value, visible, causal=False):
    """Zhai et al. 2021, equation 2: every feature has its own weights."""
    seen = visible[:, 0] if visible.ndim == 3 else visible
    kernel = weights["attention_output/kernel"][0]
    output = np.zeros((*query.shape[:2], kernel.shape[-1]))
    output += weights.get("attention_output/bias", 0.0)
    length, memory = query.shape[1], key.shape[1]
    places = np.zeros((length, memory))
    if "places_kernel" in weights:
        places = weights["places_kernel"][:length, :memory]
    if "rows_kernel" in weights:
        rows, columns = weights["rows_kernel"], weights["columns_kernel"]
        places = rows[:length] @ columns[:memory].T
    maps = []
    for b in range(len(query)):
        q, k, v = (
            array[b] @ weights[f"{name}/kernel"][:, 0] + weights[f"{name}/bias"][0]
            for name, array in (("query", query), ("key", key), ("value", value))
        )
        powers = np.exp(k.T[:, None] + places) * seen[b]  # (D, T, S)
        powers = np.tril(powers) if causal else powers
        total = powers.sum(-1, keepdims=True)
        maps.append(powers / np.where(total == 0, 1, total))
        context = np.einsum("dts,sd->td", maps[-1], v)
        output[b] += context / (1 + np.exp(-q)) @ kernel
    return output, np.array(maps)
