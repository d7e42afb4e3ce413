"""Memories: Sukhbaatar 2015, Miller 2016, Ramsauer 2020, Guo 2021."""

import numpy as np

from tests.reference.normalizers import softmax, top_k
from tests.reference.reading import read


def dots(asked, keys):
    return lambda b, i, j: asked[b, i] @ keys[b, j]


def hop_over(asked, hops, visible):
    """Each hop is (keys, values, how the next query is made of u and o)."""
    maps = []
    for keys, values, advance in hops:
        found, weights = read(dots(asked, keys), values, visible)
        asked = advance(asked, found)
        maps.append(weights)
    return asked, np.stack(maps, 1)


def placed(weights, name, inputs):
    """An embedding with its temporal encoding, if it has one."""
    vectors = inputs @ weights[f"{name}_kernel"]
    places = weights.get(f"{name}_places")
    return vectors if places is None else vectors + places[: inputs.shape[1]]


def memory_network(weights, query, value, key, visible, hops, tying):
    """Sukhbaatar et al. 2015, sections 2.1 and 2.2."""
    steps = []
    for hop in range(hops):
        if tying == "adjacent":
            first, second = f"embedding_{hop}", f"embedding_{hop + 1}"
        else:
            number = 0 if tying == "layer_wise" else hop
            first, second = f"key_{number}", f"value_{number}"
        turn = weights.get("hop_kernel", np.eye(weights["query_kernel"].shape[1]))
        keys, values = placed(weights, first, key), placed(weights, second, value)
        steps.append((keys, values, lambda u, o, h=turn: u @ h + o))
    return hop_over(query @ weights["query_kernel"], steps, visible)


def key_value_memory(weights, query, value, key, visible, hops):
    """Miller et al. 2016, section 3.1."""

    def kernel(name):
        return weights.get(f"{name}_kernel", weights.get("kernel"))

    keys, values = key @ kernel("key"), value @ kernel("value")
    steps = [
        (keys, values, lambda q, o, r=weights[f"hop_{hop}_kernel"]: (q + o) @ r)
        for hop in range(hops)
    ]
    return hop_over(query @ kernel("query"), steps, visible)


def hopfield(weights, query, value, key, visible, updates, beta=None):
    """Ramsauer et al. 2020, equations 3 and 10, head by head."""
    if "query_kernel" in weights:
        heads = range(weights["query_kernel"].shape[1])
        output, maps = 0.0, []
        for h in heads:
            state, keys, values = (
                inputs @ weights[f"{name}_kernel"][:, h]
                for name, inputs in (("query", query), ("key", key), ("value", value))
            )
            found, seen = retrieved(state, keys, values, visible, updates, beta)
            output = output + found @ weights["output_kernel"][h]
            maps.append(seen)
        return output, np.stack(maps, 1)
    sharpness = weights.get("beta", beta)
    found, seen = retrieved(query, key, value, visible, updates, sharpness)
    return found, seen[:, None]


def retrieved(state, keys, values, visible, updates, beta):
    beta = beta or keys.shape[-1] ** -0.5
    for _ in range(updates - 1):
        state = read(dots(beta * state, keys), keys, visible)[0]
    return read(dots(beta * state, keys), values, visible)


def external(weights, inputs, visible):
    """Guo et al. 2021, equations 7 to 9: over the tokens, then over the slots."""
    shares = np.zeros((*inputs.shape[:2], weights["key_kernel"].shape[1]))
    for b in range(len(inputs)):
        seen = np.flatnonzero(visible[b])
        for slot in range(shares.shape[-1] if len(seen) else 0):
            scores = inputs[b, seen] @ weights["key_kernel"][:, slot]
            shares[b, seen, slot] = softmax(scores)
        for t in seen:
            shares[b, t] /= np.sum(shares[b, t])
    return shares @ weights["value_kernel"], shares


def memorizing(weights, query, value, memory_key, memory_value, visible, neighbours):
    """Wu et al. 2022, section 3: near and nearest, mixed by a gate per head."""
    output = weights["attention_output/bias"] + np.zeros((*query.shape[:2], 1))
    maps = []
    for h in range(weights["query/kernel"].shape[1]):
        q, k, v = (
            inputs @ weights[f"{name}/kernel"][:, h] + weights[f"{name}/bias"][h]
            for name, inputs in (("query", query), ("key", value), ("value", value))
        )
        q = q * q.shape[-1] ** -0.5
        near, seen = read(dots(q, k), v, visible)
        everywhere = visible.any(-1, keepdims=True) | True
        everywhere = np.broadcast_to(everywhere, (*q.shape[:2], memory_key.shape[2]))
        far, _ = read(
            dots(q, memory_key[:, h]),
            memory_value[:, h],
            everywhere,
            lambda scores: top_k(scores, neighbours),
        )
        gate = 1 / (1 + np.exp(-weights["memory_gate"][h]))
        context = gate * far + (1 - gate) * near
        output = output + context @ weights["attention_output/kernel"][h]
        maps.append(seen)
    return output, np.stack(maps, 1)
